//go:build tools

// Package tools names what build.py builds from this module, so that go.mod and go.sum cover it.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
