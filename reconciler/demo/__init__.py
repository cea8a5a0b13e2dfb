"""`reconciler demo`: the whole job on a fleet in this process, told on a terminal with the true output of each command.

`story` tells it, on the `stage` that holds the fleet and the repository.
"""
