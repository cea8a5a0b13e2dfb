"""What a daemon does on its hub beside reading Secrets: one of several replicas leads, and Events tell what happened.

Called by the daemon. The hub's API server is reached through `reconciler.members.hub`.
"""

from __future__ import annotations

from reconciler.hub.events import Events
from reconciler.hub.identity import identity, instance, regarding
from reconciler.hub.lease import Leadership
from reconciler.members.hub import Hub

__all__ = ["Events", "Hub", "Leadership", "identity", "instance", "regarding"]
