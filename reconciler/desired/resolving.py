"""From documents to what is wanted, top to bottom: who speaks, clusters, fleets, backups, restores. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.desired import references
from reconciler.desired.claims import settle
from reconciler.desired.model import Desired, Member, Wanted
from reconciler.desired.references import Group, Known
from reconciler.manifests import Document, Manifests, Problem
from reconciler.resources import AttachedCluster, Backup, Cluster, ClusterId, Fleet, Identity, Restore


def resolve(manifests: Manifests, recorded: Mapping[Identity, str], paused: bool = False) -> Desired:
    """What is wanted, what is refused and why. `recorded`: identity to the source file that its record names."""
    claims = settle(manifests, recorded)
    refused = dict(claims.refused)
    known = Known(claims.documents, refused, recorded, _names(manifests), manifests.unread)
    loose: list[Problem] = [*manifests.problems, *claims.newcomers]  # that refuse no object as a whole

    groups: dict[Identity, Group] = {}
    for who, document in claims.documents.items():
        if isinstance(document.resource, Fleet):
            group = references.fleet(document, document.resource, known)
            if isinstance(group, Group):
                groups[who] = group
                loose += references.undeclared(document, group, known)
            else:
                refused[who] = group

    backups: dict[Identity, Wanted] = {}
    for who, document in claims.documents.items():
        if isinstance(document.resource, Backup):
            _sort_out(who, references.backup(document, document.resource, groups, known), backups, refused)

    restores: dict[Identity, Wanted] = {}
    for who, document in claims.documents.items():
        if isinstance(document.resource, Restore):
            _sort_out(who, references.restore(document, document.resource, groups, backups, known), restores, refused)

    return Desired(
        members=dict(sorted((member.id, member) for member in _members(claims.documents.values()))),
        wanted=dict(sorted((backups | restores).items())),
        refused={who: tuple(sorted(set(refused[who]))) for who in sorted(refused)},
        problems=tuple(sorted({*loose, *(problem for problems in refused.values() for problem in problems)})),
        notes=manifests.notes,
        complete=not manifests.problems and not any(who.kind in ("AttachedCluster", "Cluster") for who in refused),
        paused=paused,
    )


def _sort_out(
    who: Identity,
    found: Wanted | tuple[Problem, ...],
    wanted: dict[Identity, Wanted],
    refused: dict[Identity, tuple[Problem, ...]],
) -> None:
    if isinstance(found, Wanted):
        wanted[who] = found
    else:
        refused[who] = found


def _members(documents: Iterable[Document]) -> Iterable[Member]:
    """Every declared cluster, with the Secret that holds its kubeconfig."""
    for document in documents:
        resource, position = document.resource, document.position
        if isinstance(resource, AttachedCluster | Cluster):
            name = resource.metadata.name
            where = ClusterId(resource.metadata.namespace, resource.kind, name)
            if isinstance(resource, AttachedCluster):
                yield Member(where, resource.spec.kubeconfig.name, resource.spec.kubeconfig.key, position)
            else:
                yield Member(where, f"{name}-kubeconfig", "value", position)


def _names(manifests: Manifests) -> dict[tuple[str, str], tuple[str, ...]]:
    """All names in the files by (kind, namespace), sorted, for suggestions."""
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for who in (
        *(document.identity for document in manifests.documents),
        *(problem.identity for problem in manifests.problems if problem.identity is not None),
    ):
        names[who.kind, who.namespace].add(who.name)
    return {key: tuple(sorted(names[key])) for key in sorted(names)}
