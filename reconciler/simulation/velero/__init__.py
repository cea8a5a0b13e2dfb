"""A Velero in this process: it really stores what a backup selects and really puts it back, in simulated time.

For the simulated fleet: a `Bucket` for all members, a `SimulatedVelero` for each. A controller stands in the module of
its objects and shares `machine` with the others; `collecting` and `restoring` do the work.
"""

from reconciler.simulation.velero.bucket import Bucket, StorageError
from reconciler.simulation.velero.server import SimulatedVelero

__all__ = ["Bucket", "SimulatedVelero", "StorageError"]
