"""The hub: kubeconfigs out of its Secrets, who leads by its Leases, Events on it."""
