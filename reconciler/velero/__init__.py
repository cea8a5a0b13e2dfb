"""Pure translation between ours and Velero's: `objects` makes manifests, `status` reads what a server answered."""
