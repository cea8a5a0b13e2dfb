"""Everything that one commit says: desired, recorded, and who asked for what is new. Blocking; called in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from reconciler import manifests, records
from reconciler.desired import Desired, Wanted, resolve
from reconciler.errors import LedgerMismatch
from reconciler.manifests import Manifests, SourceFile
from reconciler.plan.drafts import Asked, draft, unrecorded
from reconciler.plan.support import refuse_unsupported
from reconciler.records import Record, Recorded
from reconciler.repository import Blob, Repository, Snapshot
from reconciler.resources import Identity


@dataclass(frozen=True, slots=True)
class State:
    """One commit, read. `recorded` is None where there is no ledger."""

    snapshot: Snapshot
    desired: Desired
    recorded: Recorded | None
    asked: Mapping[Identity, Asked]

    @property
    def records(self) -> Mapping[Identity, Record]:
        return self.recorded.records if self.recorded else {}

    def drafted(self, now: datetime) -> dict[Identity, Record]:
        """All records, with those that the files ask for anew."""
        return draft(self.desired, self.records, self.asked, self.recorded.ledger.id if self.recorded else "", now)


def gather(repository: Repository, supported_only: bool = True) -> State:
    """Fetches and reads; what this version can't run is refused, unless all is wanted as it is.

    Raises RepositoryError, RecordError, LedgerMismatch.
    """
    snapshot = repository.read()
    recorded = records.load(snapshot.recorded)
    if recorded:
        _check_ledger(recorded, repository)
    known = recorded.records if recorded else {}
    desired = resolve(_read(snapshot.files), {identity: record.source for identity, record in known.items()})
    if supported_only:
        desired = refuse_unsupported(desired)
    asked = {wanted.identity: _asked(repository, snapshot, wanted) for wanted in unrecorded(desired, known)}
    return State(snapshot, desired, recorded, asked)


def source_files(blobs: tuple[Blob, ...]) -> tuple[SourceFile, ...]:
    """What the git door found, as `manifests` takes it."""
    return tuple(SourceFile(blob.path, blob.content, blob.problem) for blob in blobs)


def _asked(repository: Repository, snapshot: Snapshot, wanted: Wanted) -> Asked:
    """The commit at which the object as it is now arrived in its file."""

    def same(content: bytes | None) -> bool:
        if content is None:
            return False
        found = manifests.read([SourceFile(wanted.position.file, content)]).documents
        specs = (document.resource.spec for document in found if document.identity == wanted.identity)
        return any(spec == wanted.spec for spec in specs)

    arrival = repository.arrival(snapshot.tip.commit, wanted.position.file, same)
    return Asked(wanted.position.file, arrival.commit, arrival.author)


def _check_ledger(recorded: Recorded, repository: Repository) -> None:
    ledger = recorded.ledger
    for name, made_for, here in (("branch", ledger.branch, repository.branch), ("path", ledger.path, repository.path)):
        if made_for != here:
            raise LedgerMismatch(
                f"the ledger was made for {name} {made_for or '.'!r}, not {here or '.'!r}: what ran there is not what "
                f"is to run here; use --{name} {made_for or '.'}, or a repository of its own"
            )


@lru_cache(maxsize=4)
def _read(files: tuple[Blob, ...]) -> Manifests:
    return manifests.read(source_files(files))
