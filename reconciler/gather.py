"""Everything that one commit says: desired, recorded, and who asked for what is new. Blocking; called in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from reconciler import manifests, records
from reconciler.desired import Desired, Wanted, resolve
from reconciler.errors import LedgerMismatch
from reconciler.manifests import Manifests, SourceFile
from reconciler.plan.drafts import Asked, draft, unrecorded
from reconciler.plan.shards import Shard, ours
from reconciler.records import Record, Recorded
from reconciler.repository import Blob, Repository, Revision, Snapshot
from reconciler.resources import Identity


@dataclass(frozen=True, slots=True)
class State:
    """One commit, read. `recorded` is None where there is no ledger."""

    snapshot: Snapshot
    desired: Desired
    recorded: Recorded | None
    asked: Mapping[Identity, Asked]
    revision: str
    """The commit whose files these are."""
    edited: tuple[str, ...] = ()
    """Paths under `status/` that somebody changed by hand in that commit, or before it."""

    @property
    def records(self) -> Mapping[Identity, Record]:
        return self.recorded.records if self.recorded else {}

    @property
    def ledger(self) -> str:
        """The ledger's id, empty where there is none."""
        return self.recorded.ledger.id if self.recorded else ""

    def drafted(self, now: datetime) -> dict[Identity, Record]:
        """All records, with those that the files ask for anew."""
        return draft(self.desired, self.records, self.asked, self.ledger, now)

    def of(self, shard: Shard) -> State:
        """What is that shard's of it: the files' objects and the records, and nothing of the others'."""
        if shard.count == 1 or self.recorded is None:
            return self
        mine = ours(shard, self.desired.wanted, self.records)
        wanted = {identity: one for identity, one in self.desired.wanted.items() if identity in mine}
        known = {identity: record for identity, record in self.records.items() if identity in mine}
        asked = {identity: who for identity, who in self.asked.items() if identity in mine}
        desired, recorded = replace(self.desired, wanted=wanted), replace(self.recorded, records=known)
        return replace(self, desired=desired, recorded=recorded, asked=asked)


def gather(repository: Repository) -> State:
    """Fetches and reads. Raises RepositoryError, RecordError, LedgerMismatch."""
    snapshot = repository.read()
    recorded = _load(repository, snapshot)
    desired = _desired(snapshot.files, recorded, snapshot.paused)
    known = recorded.records if recorded else {}
    asked = {wanted.identity: _asked(repository, snapshot, wanted) for wanted in unrecorded(desired, known)}
    return State(snapshot, desired, recorded, asked, snapshot.tip.commit)


def look(repository: Repository, revision: str = "") -> State:
    """The records as they are, and the files of any revision (default: the tip) in place of the tip's.

    Who asked is not looked up, so that a shallow clone will do. Raises RepositoryError, RecordError, LedgerMismatch.
    """
    snapshot = repository.read()
    recorded = _load(repository, snapshot)
    there = repository.at(revision) if revision else snapshot
    desired = _desired(there.files, recorded, there.paused)
    if isinstance(there, Revision):
        return State(snapshot, desired, recorded, {}, there.commit, there.edited)
    return State(snapshot, desired, recorded, {}, snapshot.tip.commit, snapshot.tampered)


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
    return Asked(wanted.position.file, arrival.commit, arrival.author, arrival.merged_by, arrival.approved_by)


def _load(repository: Repository, snapshot: Snapshot) -> Recorded | None:
    recorded = records.load(snapshot.recorded)
    if recorded:
        _check_ledger(recorded, repository)
    return recorded


def _desired(files: tuple[Blob, ...], recorded: Recorded | None, paused: bool) -> Desired:
    known = recorded.records if recorded else {}
    return resolve(_read(files), {identity: record.source for identity, record in known.items()}, paused)


def _check_ledger(recorded: Recorded, repository: Repository) -> None:
    ledger = recorded.ledger
    compared = (
        ("branch", ledger.branch, repository.branch),
        ("path", ledger.path, repository.path),
        ("status-branch", ledger.status_branch, repository.status_branch),
    )
    for name, made_for, here in compared:
        if made_for != here and not (name == "branch" and not here):  # in a CI job's checkout no branch can be told
            raise LedgerMismatch(
                f"the ledger was made for {name} {made_for or '.'!r}, not {here or '.'!r}: what ran there is not what "
                f"is to run here; use --{name} {made_for or '.'} (to plan for what is checked out, with "
                "--revision HEAD), or a repository of its own"
            )


@lru_cache(maxsize=4)
def _read(files: tuple[Blob, ...]) -> Manifests:
    return manifests.read(source_files(files))
