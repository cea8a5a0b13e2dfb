"""Following names: a Restore to its Backup, a Backup to its Fleet, a Fleet to its clusters. Pure.

Called by `resolving`, in the order of what depends on what. Each function takes what the step before found and gives
either a sound result or all of the problems, never both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from reconciler.desired import filters
from reconciler.desired.model import Wanted
from reconciler.manifests import Document, Problem
from reconciler.manifests.documents import Path
from reconciler.names import printable
from reconciler.resources import Backup, ClusterId, Destination, Fleet, Identity, Restore

LONGEST_SCHEDULE: Final = 63  # Velero writes a Schedule's name into a label as it is: a longer one never backs up
_CLUSTERS: Final = ("spec", "destination", "clusters")


@dataclass(frozen=True, slots=True)
class Group:
    """A sound Fleet: its clusters in its order, and for those that can't be used the place in its file."""

    clusters: tuple[ClusterId, ...]
    broken: Mapping[ClusterId, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What names may lead to.

    `documents` and `refused` as in `Claims`; `refused` grows while fleets and backups are followed. `names` has the
    names in each (kind, namespace); `unread` the files with an error, where a missing object may stand.
    """

    documents: Mapping[Identity, Document]
    refused: Mapping[Identity, tuple[Problem, ...]]
    recorded: Mapping[Identity, str]
    names: Mapping[tuple[str, str], tuple[str, ...]]
    unread: frozenset[str]

    def missing(self, who: Identity) -> tuple[str, str]:
        """What to say of a name that leads to nothing sound, and what to do."""
        if who in self.refused:
            return f"depends on {who}, which has an error", f"see {min(self.refused[who]).position}"
        if who in self.recorded:
            what = f"the file of {who}, {printable(self.recorded[who])}, is gone"
            return what, "put it back; nothing that ran will run again"
        what = f"there is no {who}"
        if self.unread:
            what += f" in the files that could be read ({printable(min(self.unread))} has an error)"
        near = get_close_matches(who.name, self.names.get((who.kind, who.namespace), ())[:200], 1, 0.6)
        if near:
            return what, f"did you mean `{near[0]}`?"
        for kind, namespace in self.names:
            if kind == who.kind and namespace != who.namespace and who.name in self.names[kind, namespace]:
                return what, f"one is in namespace {namespace}: move it, as both must be in the same namespace"
        return what, f"add a file with this {who.kind}, or name another"


def fleet(document: Document, resource: Fleet, known: Known) -> Group | tuple[Problem, ...]:
    """The clusters of a fleet. Those that nobody declared stop only what runs on them."""
    namespace = resource.metadata.namespace
    clusters = tuple(ClusterId(namespace, each.kind, each.name) for each in resource.spec.clusters)
    doubles = tuple(_doubles(document, clusters, ("spec", "clusters")))
    if doubles:
        return doubles
    broken = {
        cluster: str(document.at("spec", "clusters", index))
        for index, cluster in enumerate(clusters)
        if _as_identity(cluster) not in known.documents
    }
    return Group(clusters, broken)


def undeclared(document: Document, group: Group, known: Known) -> Iterator[Problem]:
    """What is wrong with the clusters of a fleet that can't be used, at the fleet's lines."""
    for index, cluster in enumerate(group.clusters):
        if cluster in group.broken:
            what, todo = known.missing(_as_identity(cluster))
            yield Problem(document.at("spec", "clusters", index), what, todo, document.identity)


def backup(
    document: Document, resource: Backup, groups: Mapping[Identity, Group], known: Known
) -> Wanted | tuple[Problem, ...]:
    """A Backup with its clusters."""
    destination, who = resource.spec.destination, document.identity
    clusters, found = _of_fleet(document, destination, groups, known)
    problems = [*filters.problems(document), *found]
    problems += _same_names(document, clusters)
    problems += _long_schedule(document, resource, clusters)
    if problems:
        return tuple(problems)
    return Wanted(who, resource.spec, document.position, destination.fleet, clusters, None)


def restore(
    document: Document,
    resource: Restore,
    groups: Mapping[Identity, Group],
    backups: Mapping[Identity, Wanted],
    known: Known,
) -> Wanted | tuple[Problem, ...]:
    """A Restore with its Backup, where it names one, and its clusters."""
    spec, who = resource.spec, document.identity
    problems = list(filters.problems(document))
    if spec.backup_name is None:
        assert spec.destination is not None  # as RestoreSpec makes sure
        fleet, of = spec.destination.fleet, None
        clusters, found = _of_fleet(document, spec.destination, groups, known)
        problems += [*found, *_same_names(document, clusters)]
    else:
        of = Identity("Backup", who.namespace, spec.backup_name)
        if of not in backups:
            problems.append(Problem(document.at("spec", "backupName"), *known.missing(of), who))
            return tuple(problems)
        fleet = backups[of].fleet
        clusters, found = _of_backup(document, spec.destination, backups[of])
        problems += found
    return tuple(problems) or Wanted(who, spec, document.position, fleet, clusters, of)


def _of_fleet(
    document: Document, destination: Destination, groups: Mapping[Identity, Group], known: Known
) -> tuple[tuple[ClusterId, ...], list[Problem]]:
    """The clusters of a destination that names a Fleet, and what is wrong with them."""
    of = Identity("Fleet", document.identity.namespace, destination.fleet)
    if of not in groups:
        return (), [_at_fleet(document, *known.missing(of))]
    if not groups[of].clusters:
        return (), [_at_fleet(document, f"{of} has no clusters", "add clusters to the fleet")]
    clusters = _chosen(destination, groups[of].clusters)
    problems = list(_strangers(document, destination, groups[of].clusters, f"in {of}"))
    return clusters, [*problems, *_unusable(document, clusters, groups[of])]


def _of_backup(
    document: Document, destination: Destination | None, source: Wanted
) -> tuple[tuple[ClusterId, ...], list[Problem]]:
    """The clusters of a Restore: its Backup's, or some of them."""
    if destination is None:
        return source.clusters, []
    of = source.identity
    if destination.fleet != source.fleet:
        what = f"{of} is of the fleet `{source.fleet}`, and this restores to the fleet `{destination.fleet}`"
        return (), [_at_fleet(document, what, f"write `fleet: {source.fleet}`, or leave `destination` out")]
    problems = _strangers(document, destination, source.clusters, f"among the clusters of {of}")
    return _chosen(destination, source.clusters), list(problems)


def _chosen(destination: Destination, available: tuple[ClusterId, ...]) -> tuple[ClusterId, ...]:
    """The clusters of a destination, in the order of the fleet; an empty list means all."""
    if not destination.clusters:
        return available
    named = {(each.kind, each.name) for each in destination.clusters}
    return tuple(cluster for cluster in available if (cluster.kind, cluster.name) in named)


def _strangers(
    document: Document, destination: Destination, available: tuple[ClusterId, ...], where: str
) -> Iterator[Problem]:
    """Clusters that a destination names twice, or that are not there to be named."""
    namespace = document.identity.namespace
    named = tuple(ClusterId(namespace, each.kind, each.name) for each in destination.clusters)
    yield from _doubles(document, named, _CLUSTERS)
    there = frozenset(available)
    for index, cluster in enumerate(named):
        if cluster not in there:
            near = get_close_matches(cluster.name, [each.name for each in available][:200], 1, 0.6)
            todo = f"did you mean {_called(near[0], available)}?" if near else "remove it, or add it there"
            at = document.at(*_CLUSTERS, index)
            yield Problem(at, f"{cluster.kind} {cluster.name} is not {where}", todo, document.identity)


def _called(name: str, available: Iterable[ClusterId]) -> str:
    return " or ".join(sorted(f"{cluster.kind} {name}" for cluster in available if cluster.name == name))


def _doubles(document: Document, clusters: tuple[ClusterId, ...], path: Path) -> Iterator[Problem]:
    first: dict[ClusterId, int] = {}
    for index, cluster in enumerate(clusters):
        if first.setdefault(cluster, index) != index:
            line = document.at(*path, first[cluster]).line
            what = f"{cluster.kind} {cluster.name} stands twice, first in line {line}"
            yield Problem(document.at(*path, index), what, "keep one", document.identity)


def _unusable(document: Document, clusters: tuple[ClusterId, ...], group: Group) -> Iterator[Problem]:
    broken = [cluster for cluster in clusters if cluster in group.broken]
    if broken:
        what = f"depends on {_few(str(cluster) for cluster in broken)}, declared nowhere without error"
        places = _few(dict.fromkeys(group.broken[cluster] for cluster in broken))
        at = document.at("spec", "destination", "fleet")
        yield Problem(
            at, what, f"see {places}, or list the other clusters in `destination.clusters`", document.identity
        )


def _same_names(document: Document, clusters: tuple[ClusterId, ...]) -> Iterator[Problem]:
    """An AttachedCluster and a Cluster of one name: their objects would have one name in the object storage."""
    twice = [name for name, count in Counter(cluster.name for cluster in clusters).items() if count > 1]
    if twice:
        kind = document.identity.kind.lower()
        what = f"the {kind}s of two clusters named {_few(twice)} would have the same name in the storage"
        yield _at_fleet(document, what, "list only one of them in `destination.clusters`")


def _long_schedule(document: Document, resource: Backup, clusters: tuple[ClusterId, ...]) -> Iterator[Problem]:
    if not resource.spec.schedule or not clusters:
        return
    who = document.identity
    names = [f"{cluster.name}-backup-{who.namespace}-{who.name}" for cluster in clusters]
    longest = max(names, key=len)
    if len(longest) > LONGEST_SCHEDULE:
        cluster = clusters[names.index(longest)]
        what = (
            f"the Schedule on {cluster} would be named {longest}, {len(longest)} characters, "
            f"and Velero never backs up for one over {LONGEST_SCHEDULE}"
        )
        todo = f"take {len(longest) - LONGEST_SCHEDULE} characters off the name or namespace"
        yield Problem(document.at("metadata", "name"), what, todo, who)


def _at_fleet(document: Document, what: str, todo: str) -> Problem:
    return Problem(document.at("spec", "destination", "fleet"), what, todo, document.identity)


def _as_identity(cluster: ClusterId) -> Identity:
    return Identity(cluster.kind, cluster.namespace, cluster.name)


def _few(words: Iterable[str]) -> str:
    listed = list(words)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
