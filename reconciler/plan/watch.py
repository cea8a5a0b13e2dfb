"""What this machine must look after although the ledger has no open run for it.

A Restore of ours carries a finalizer until its outcome is recorded; which of them may still carry it is remembered
in the git directory. A machine that remembers nothing lists our objects once on each member.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciler.plan.actions import Outcome, Release
from reconciler.plan.answers import Answer, Name
from reconciler.plan.same_cluster import believed
from reconciler.records import Phase, Record, Run, moment, timestamp
from reconciler.resources import ClusterId, Identity
from reconciler.velero.status import Seen

Key = tuple[ClusterId, Name]

# A create that another process sent may land up to 60 s after the ledger was read, plus its own 20 s.
LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Watch:
    """`unreleased`: the objects, each with the time (RFC 3339) since which; `inventoried`: members listed once, each as
    the cluster that it is; `uids`: of `kube-system`, as each member told last."""

    unreleased: Mapping[Key, str] = field(default_factory=dict)
    inventoried: frozenset[ClusterId] = frozenset()
    uids: Mapping[ClusterId, str] = field(default_factory=dict)


def before_creates(
    watch: Watch, records: Mapping[Identity, Record], answers: Mapping[ClusterId, Answer], now: datetime
) -> Watch:
    """With every Restore that a create was or may be sent for, or that is there: to be saved before anything is done.

    What is started counts from now, since another process may send its create as long as the ledger says so.
    """
    started = {key: timestamp(now) for key, run in _restores(records).items() if _started(run)}
    found = {
        (cluster, ("Restore", seen.name)): timestamp(now)
        for cluster, answer in answers.items()
        for seen in _ours((*answer.seen.values(), *(answer.leftovers or ())), records)
    }
    uids = {cluster: answer.cluster_uid for cluster, answer in answers.items() if answer.cluster_uid}
    other = {cluster for cluster, uid in uids.items() if watch.uids.get(cluster, uid) != uid}
    return Watch({**found, **watch.unreleased, **started}, watch.inventoried - other, {**watch.uids, **uids})


def after_pass(
    watch: Watch,
    records: Mapping[Identity, Record],
    answers: Mapping[ClusterId, Answer],
    outcomes: Iterable[Outcome],
    now: datetime,
) -> Watch:
    """Without what is known to be released or gone."""
    runs = _restores(records)
    done = (outcome.action for outcome in outcomes if outcome.failure is None)
    released = {key_of(action) for action in done if isinstance(action, Release)}
    return Watch(
        unreleased={
            key: min(since, timestamp(now))  # a clock may go back
            for key, since in watch.unreleased.items()
            if key not in released and not _done(key, runs.get(key), answers.get(key[0]), moment(since) or now, now)
        },
        inventoried=watch.inventoried | {c for c, answer in answers.items() if answer.leftovers is not None},
        uids=watch.uids,
    )


def begun(watch: Watch, records: Mapping[Identity, Record]) -> frozenset[Key]:
    """What is watched and no ledger like this one has anybody create any more."""
    runs = _restores(records)
    started = (Phase.PENDING, Phase.STARTING)
    return frozenset(key for key in watch.unreleased if (run := runs.get(key)) and run.phase not in started)


def key_of(release: Release) -> Key:
    """Under which what it lets go of is watched."""
    return release.member.id, ("Restore", release.name)


def dump_watch(watch: Watch) -> dict[str, Any]:
    """As JSON for the git directory."""
    return {
        "unreleased": [
            {"namespace": c.namespace, "clusterKind": c.kind, "cluster": c.name, "kind": kind, "name": name, "since": s}
            for (c, (kind, name)), s in sorted(watch.unreleased.items())
        ],
        "inventoried": [[c.namespace, c.kind, c.name] for c in sorted(watch.inventoried)],
        "uids": [[c.namespace, c.kind, c.name, uid] for c, uid in sorted(watch.uids.items())],
    }


def load_watch(state: Mapping[str, Any] | None) -> Watch:
    """From that JSON; a machine without it, or with one that is broken, knows nothing and lists once."""
    try:
        return Watch(
            {
                (ClusterId(*_texts(i, "namespace", "clusterKind", "cluster")), (i["kind"], i["name"])): i["since"]
                for i in (state or {})["unreleased"]
                if _texts(i, "kind", "name", "since")
            },
            frozenset(ClusterId(*_texts(parts, 0, 1, 2)) for parts in (state or {})["inventoried"]),
            {ClusterId(*_texts(parts, 0, 1, 2)): _texts(parts, 3)[0] for parts in (state or {})["uids"]},
        )
    except (KeyError, TypeError, IndexError):
        return Watch()


def _texts(item: Any, *keys: str | int) -> list[str]:
    """Those entries, all of them texts. Raises TypeError otherwise."""
    found = [item[key] for key in keys]
    if not all(isinstance(text, str) for text in found):
        raise TypeError("not what was written")
    return found


def _done(key: Key, run: Run | None, answer: Answer | None, since: datetime, now: datetime) -> bool:
    if run and answer:
        answer = believed(run, answer)
    if answer is None or key[1] not in answer.seen or (run and run.phase.open):
        return False
    seen = answer.seen[key[1]]
    if seen is None:
        return not (run and _may_start_late(run)) or now - since > LATE
    return not seen.held or run is None or seen.run_id != run.run_id


def _may_start_late(run: Run) -> bool:
    """It was given up while its object was not there, which a create under way may still bring."""
    return run.phase is Phase.HELD or run.reason in ("Expired", "Abandoned")


def _ours(objects: Iterable[Seen | None], records: Mapping[Identity, Record]) -> Iterator[Seen]:
    """Those that carry our finalizer for a run of this very ledger."""
    known = {run.run_id for record in records.values() for run in record.runs}
    return (seen for seen in objects if seen and seen.kind == "Restore" and seen.held and seen.run_id in known)


def _started(run: Run) -> bool:
    return run.phase in (Phase.STARTING, Phase.IN_PROGRESS)


def _restores(records: Mapping[Identity, Record]) -> dict[Key, Run]:
    return {
        (run.cluster, ("Restore", run.object_name)): run
        for record in records.values()
        if record.identity.kind == "Restore"
        for run in record.runs
    }
