"""Which declared clusters are one and the same, told by the UID of their `kube-system`: none of them is believed.

What a member is not asked in this pass it may have told before: this machine remembers, and so do the records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from reconciler.plan.answers import Answer, Failure
from reconciler.records import Part, Record
from reconciler.resources import ClusterId, Identity

Uids = Mapping[ClusterId, frozenset[str]]
"""What each cluster was known by, now or once."""


def known_uids(remembered: Mapping[ClusterId, str], records: Mapping[Identity, Record]) -> Uids:
    """By this machine, and by every run and Schedule that is recorded."""
    found: dict[ClusterId, set[str]] = defaultdict(set)
    for cluster, uid in remembered.items():
        found[cluster].add(uid)
    for record in records.values():
        for part in record.everything:
            if part.cluster_uid:
                found[part.cluster].add(part.cluster_uid)
    return {cluster: frozenset(uids) for cluster, uids in found.items()}


def presumed_uids(
    remembered: Mapping[ClusterId, str], records: Mapping[Identity, Record], declared: Iterable[ClusterId]
) -> Uids:
    """By what those are known that do not tell now.

    Not by a UID that is recorded as another's: their kubeconfig led astray once, and where they are away since then,
    that stops nothing on the cluster whose UID it is.
    """
    recorded = known_uids({}, records)
    owned = {uid for cluster in declared for uid in recorded.get(cluster, ())}
    own = {
        cluster: uid
        for cluster, uid in remembered.items()
        if uid not in owned or uid in recorded.get(cluster, frozenset())
    }
    return known_uids(own, records)


def suspects(known: Uids, declared: Iterable[ClusterId]) -> Iterator[frozenset[ClusterId]]:
    """Declared clusters that were known by one UID: where one of them is asked, so are the others."""
    return (clusters for clusters in _by_uid(known, declared).values() if len(clusters) > 1)


def elsewhere(remembered: Mapping[ClusterId, str], records: Mapping[Identity, Record]) -> frozenset[ClusterId]:
    """Members that told last of another UID than any that is recorded: they were rebuilt, or a kubeconfig leads astray.

    What they hold of ours may be looked for in the wrong place, so they are listed once in a while.
    """
    recorded = known_uids({}, records)
    return frozenset(
        cluster for cluster, uid in remembered.items() if cluster in recorded and uid not in recorded[cluster]
    )


def compared(
    answers: Mapping[ClusterId, Answer], known: Uids, declared: Iterable[ClusterId]
) -> dict[ClusterId, Answer]:
    """Each answer with the other clusters that are the same, as far as they told now, or else before."""
    told = {cluster: frozenset({answer.cluster_uid}) for cluster, answer in answers.items() if answer.cluster_uid}
    one = _by_uid({**known, **told}, declared)
    return {
        cluster: replace(answer, same_as=one.get(answer.cluster_uid, frozenset()) - {cluster})
        for cluster, answer in answers.items()
    }


def distrust(answers: Mapping[ClusterId, Answer]) -> dict[ClusterId, Answer]:
    """Two clusters that are one: neither is believed, and each says why."""
    return {cluster: _doubted(cluster, answer) if answer.same_as else answer for cluster, answer in answers.items()}


def believed(part: Part, answer: Answer) -> Answer:
    """A kubeconfig that leads to another cluster than the one it began on tells nothing about it."""
    if part.cluster_uid and answer.cluster_uid and part.cluster_uid != answer.cluster_uid:
        text = f"the kubeconfig of {part.cluster.name} leads to another cluster than when this began; put it back"
        return Answer(failure=Failure("ClusterChanged", text))
    return answer


def _doubted(cluster: ClusterId, answer: Answer) -> Answer:
    names = " and ".join(sorted(each.name for each in {cluster, *answer.same_as}))
    failure = Failure("SameCluster", f"{names} are one cluster; mend a kubeconfig")
    return replace(answer, seen={}, dry_runs={}, schedules={}, backups_of={}, failure=failure)


def _by_uid(known: Uids, declared: Iterable[ClusterId]) -> Mapping[str, frozenset[ClusterId]]:
    found: dict[str, set[ClusterId]] = defaultdict(set)
    for cluster in declared:
        for uid in known.get(cluster, ()):
            found[uid].add(cluster)
    return {uid: frozenset(clusters) for uid, clusters in found.items()}
