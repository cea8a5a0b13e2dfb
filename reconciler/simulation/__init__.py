"""A fleet in this process: members that serve the Kubernetes API over real HTTP and TLS, each with a simulated Velero.

For the demo and for tests; held to the real thing by running the same scenarios on both. `fleet` starts one.
"""
