"""What Velero refuses in the policy of one Backup or Restore, so that it is said before anything runs. Pure.

Mirrors `pkg/controller/{backup,restore}_controller.go` and `pkg/util/collections/includes_excludes.go` of Velero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reconciler.manifests import Document, Problem
from reconciler.manifests.documents import Path
from reconciler.names import shown
from reconciler.resources import Backup, ResourceFilter, Restore, RestoreFilter, RestorePolicy

_NEVER_RESTORED: Final = frozenset(
    (
        "nodes",
        "events",
        "events.events.k8s.io",
        "backups.velero.io",
        "restores.velero.io",
        "resticrepositories.velero.io",
        "backuprepositories.velero.io",
        "csinodes.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
    )
)
_SIDES: Final = ("included", "excluded")
_OLD: Final = ("includedResources", "excludedResources", "includeClusterResources")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_CLASSES = re.compile(r"([^\[\]]|\[[^\]]+\])*")  # every [ is closed by a ], with something between them
_RESOURCES: Final = ("spec", "policy", "resourceFilter")
_STATUSES: Final = ("spec", "policy", "preserveStatus")


def problems(document: Document) -> Iterator[Problem]:
    """Everything in the document's policy that Velero would answer with FailedValidation, or silently leave out."""
    resource = document.resource
    if not isinstance(resource, Backup | Restore) or resource.spec.policy is None:
        return
    policy = resource.spec.policy
    if policy.resource_filter is not None:
        yield from _filter(_Check(document, _RESOURCES), policy.resource_filter)
    if isinstance(policy, RestorePolicy) and policy.preserve_status is not None:
        chosen = policy.preserve_status
        check = _Check(document, _STATUSES)  # Velero would drop an excluded `*` here, and restore every status
        yield from check.lists("Resources", chosen.included_resources, chosen.excluded_resources)


def _filter(check: _Check, chosen: ResourceFilter | RestoreFilter) -> Iterator[Problem]:
    yield from check.selectors(chosen)
    if isinstance(chosen, RestoreFilter):
        yield from check.restorable(chosen.included_resources)
    if isinstance(chosen, ResourceFilter):
        yield from check.namespace_names("includedNamespaces", chosen.included_namespaces)
        yield from check.namespace_names("excludedNamespaces", chosen.excluded_namespaces)
        yield from check.scoped(chosen)
    yield from check.lists("Namespaces", chosen.included_namespaces, chosen.excluded_namespaces)
    yield from check.lists("Resources", chosen.included_resources, chosen.excluded_resources)


class _Check:
    """The rules, on the fields below one path of a document."""

    def __init__(self, document: Document, path: Path) -> None:
        self._document = document
        self._path = path

    def selectors(self, chosen: ResourceFilter | RestoreFilter) -> Iterator[Problem]:
        if chosen.label_selector is not None and chosen.or_label_selectors:
            yield self._problem("`labelSelector` and `orLabelSelectors` stand together", "keep one", "orLabelSelectors")

    def restorable(self, included: tuple[str, ...]) -> Iterator[Problem]:
        for index, item in enumerate(included):
            if item in _NEVER_RESTORED:
                yield self._problem(f"Velero never restores {item}", "remove it", "includedResources", index)

    def scoped(self, chosen: ResourceFilter) -> Iterator[Problem]:
        """Only a Backup has these; they exclude the older three, and may exclude `*`."""
        pairs = {
            "ClusterScopedResources": (
                chosen.included_cluster_scoped_resources,
                chosen.excluded_cluster_scoped_resources,
            ),
            "NamespaceScopedResources": (
                chosen.included_namespace_scoped_resources,
                chosen.excluded_namespace_scoped_resources,
            ),
        }
        new = [
            f"{side}{name}" for name, both in pairs.items() for side, items in zip(_SIDES, both, strict=True) if items
        ]
        if new and (
            chosen.included_resources or chosen.excluded_resources or chosen.include_cluster_resources is not None
        ):
            what = f"`{new[0]}` stands together with one of {', '.join(_OLD)}"
            yield self._problem(what, "use either those or the …ScopedResources fields", new[0])
        for name, (included, excluded) in pairs.items():
            yield from self.lists(name, included, excluded, star_excludes=True)

    def namespace_names(self, name: str, items: tuple[str, ...]) -> Iterator[Problem]:
        for index, item in enumerate(items):
            plain = re.sub(r"[*?\[\]]", "x", item)  # as Velero does, so a class may hold only what a name may
            if item and ("**" in item or not _CLASSES.fullmatch(item) or not _NAMESPACE.fullmatch(plain)):
                what = f"{shown(item)} is neither a namespace nor a pattern that Velero takes"
                todo = "use at most 63 of a-z, 0-9, '-' and the wildcards *, ? and [abc]"
                yield self._problem(what, todo, name, index)

    def lists(
        self, name: str, included: tuple[str, ...], excluded: tuple[str, ...], *, star_excludes: bool = False
    ) -> Iterator[Problem]:
        """`*` stands alone, and nothing is both included and excluded."""
        if "*" in included and len(set(included)) > 1:
            yield self._problem("`*` stands beside other items", "keep `*` alone, or remove it", f"included{name}")
        if "*" in excluded and not star_excludes:
            yield self._problem("`*` would exclude everything", "remove it", f"excluded{name}", excluded.index("*"))
        elif "*" in excluded and (included or len(set(excluded)) > 1):
            what = f"`*` excludes everything, and other items stand beside it or in `included{name}`"
            yield self._problem(what, "keep `*` alone, or remove it", f"excluded{name}", excluded.index("*"))
        for index, item in enumerate(excluded):
            if item in included and item != "*":
                what = f"{shown(item)} is both included and excluded"
                yield self._problem(what, "remove it from one of the lists", f"excluded{name}", index)

    def _problem(self, what: str, todo: str, *field: str | int) -> Problem:
        position = self._document.at(*self._path, *field)
        return Problem(position, f"`{self._path[-1]}.{field[0]}`: {what}", todo, self._document.identity)
