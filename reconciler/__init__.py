"""Fleet backup and restore as GitOps; the way data flows is told by `reconcile`."""
