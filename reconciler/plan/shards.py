"""Which of several processes looks after which objects: all of one fleet go to one shard, and stay there.

Every shard reads the same ledger, so at any commit exactly one of them finds an object to be its own. Should two at
times act on two commits, nothing runs twice: what protects is the ledger, not this.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.resources import Identity
from reconciler.velero.plainly import mapping, text

if TYPE_CHECKING:
    from reconciler.desired import Wanted
    from reconciler.records import Record

MOST: Final = 1000
_WRITTEN: Final = re.compile(r"([1-9][0-9]{0,3})/([1-9][0-9]{0,3})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Number `index` (from 1) of `count`."""

    index: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @property
    def file(self) -> str:
        """As part of a file's name; empty where there is but one."""
        return "" if self.count == 1 else f"shard-{self.index}-of-{self.count}"


WHOLE: Final = Shard()


@dataclass(frozen=True, slots=True, order=True)
class FleetId:
    """A Fleet, or, where `name` is empty, what can't be told a fleet of."""

    namespace: str
    name: str


def shard(written: str) -> Shard:
    """`I/N`, I from 1 to N. Raises ValueError."""
    found = _WRITTEN.fullmatch(written)
    index, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= index <= count <= MOST:
        raise ValueError(f"{written[:80]!r} is no shard; write I/N as in 1/3, with I from 1 to N and N at most {MOST}")
    return Shard(index, count)


def lease_name(of: Shard, prefix: str = "reconciler") -> str:
    """The Lease that the processes of one shard vie for: without the count, which a rollout changes one by one."""
    return prefix if of.count == 1 else f"{prefix}-{of.index}"


def holds(of: Shard, fleet: FleetId) -> bool:
    """Whether a fleet is that shard's: the same on every machine and in every version."""
    digest = hashlib.sha256(f"{fleet.namespace}/{fleet.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % of.count == of.index - 1


def ours(of: Shard, wanted: Mapping[Identity, Wanted], records: Mapping[Identity, Record]) -> frozenset[Identity]:
    """The Backups and Restores that are that shard's, of all that are wanted or recorded."""
    every = wanted.keys() | records.keys()
    if of.count == 1:
        return frozenset(every)
    return frozenset(identity for identity in every if holds(of, fleet_of(identity, wanted, records)))


def fleet_of(identity: Identity, wanted: Mapping[Identity, Wanted], records: Mapping[Identity, Record]) -> FleetId:
    """The fleet of an object, by what is recorded of it, so that an edit or the removal of its file moves nothing.

    The spec of a Restore without a destination does not name it: its Backup's does, which is always of the same fleet.
    Where that one is forgotten as well, its name alone decides, as stably.
    """
    return FleetId(identity.namespace, next(filter(None, _named(identity, wanted, records)), ""))


def _named(identity: Identity, wanted: Mapping[Identity, Wanted], records: Mapping[Identity, Record]) -> Iterator[str]:
    """The names that may serve, the best first; those that are empty do not."""
    record = records.get(identity)
    if record is None:
        yield wanted[identity].fleet if identity in wanted else ""
        return
    yield _destination(record.spec)
    backup = Identity("Backup", identity.namespace, text(record.spec.get("backupName")))
    yield _destination(records[backup].spec) if backup in records else ""
    yield wanted[backup].fleet if backup in wanted else ""
    yield wanted[identity].fleet if identity in wanted else ""
    yield backup.name


def _destination(spec: Mapping[str, Any]) -> str:
    return text(mapping(spec.get("destination")).get("fleet"))
