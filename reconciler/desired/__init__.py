"""What is wanted, across all files: references, subsets, collisions. Pure.

`reconcile` and the commands call `resolve` with what `manifests` read and with what is recorded. `claims` tells which
document speaks for an object, `filters` mirrors what Velero refuses in one object, `references` follows names from a
Restore to its Backup, Fleet and clusters, and `resolving` puts them together.
"""

from __future__ import annotations

from reconciler.desired.model import Desired, Member, Wanted
from reconciler.desired.resolving import resolve
from reconciler.resources import ClusterId

__all__ = ["ClusterId", "Desired", "Member", "Wanted", "resolve"]
