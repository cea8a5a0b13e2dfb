"""Which document speaks for an object: one only, and what is recorded already goes before a newcomer. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.manifests import Document, Manifests, Position, Problem
from reconciler.names import printable
from reconciler.resources import Identity


@dataclass(frozen=True, slots=True)
class Claims:
    """`documents`: the one that speaks for each identity. `newcomers`: problems of those that don't get to speak."""

    documents: Mapping[Identity, Document]
    refused: Mapping[Identity, tuple[Problem, ...]]
    newcomers: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sound document, or (None) one with errors, as far as its identity could be told."""

    position: Position
    document: Document | None
    problems: tuple[Problem, ...] = ()


def settle(manifests: Manifests, recorded: Mapping[Identity, str]) -> Claims:
    """Settles who speaks for what. `recorded`: identity to the source file of its record."""
    documents: dict[Identity, Document] = {}
    refused: dict[Identity, tuple[Problem, ...]] = {}
    newcomers: list[Problem] = []
    for who, claims in _all_claims(manifests).items():
        speaker = _speaker(claims, recorded.get(who))
        doubles = [_double(who, claim, claims) for claim in claims if claim is not speaker and len(claims) > 1]
        if speaker is not None and speaker.document is not None:
            documents[who] = speaker.document
            newcomers += doubles
        else:
            refused[who] = (*(problem for claim in claims for problem in claim.problems), *doubles)
    for who, source in recorded.items():
        if source in manifests.unread and who not in documents and who not in refused:
            refused[who] = tuple(problem for problem in manifests.problems if problem.position.file == source)
    joined = dict(_joined(documents, recorded))
    return Claims(
        documents={who: document for who, document in documents.items() if who not in joined},
        refused=refused | joined,
        newcomers=tuple(newcomers),
    )


def _all_claims(manifests: Manifests) -> dict[Identity, list[_Claim]]:
    """Every document with an error counts once, however much is wrong in it."""
    broken: dict[tuple[Identity, str], list[Problem]] = defaultdict(list)
    for problem in manifests.problems:
        if problem.identity is not None:
            broken[problem.identity, problem.position.file].append(problem)
    claims: dict[Identity, list[_Claim]] = defaultdict(list)
    for document in manifests.documents:
        claims[document.identity].append(_Claim(document.at("metadata", "name"), document))
    for (who, _), problems in broken.items():
        claims[who].append(_Claim(problems[0].position, None, tuple(problems)))
    return claims


def _speaker(claims: list[_Claim], source: str | None) -> _Claim | None:
    """The only claim, else the only one in the file that the record names."""
    among = claims if len(claims) == 1 else [claim for claim in claims if claim.position.file == source]
    return among[0] if len(among) == 1 and among[0].document is not None else None


def _double(who: Identity, claim: _Claim, claims: list[_Claim]) -> Problem:
    others = ", ".join(sorted(str(other.position) for other in claims if other is not claim))
    return Problem(claim.position, f"{who} stands also at {others}", "keep one of them, or rename it", who)


def _joined(
    documents: Mapping[Identity, Document], recorded: Mapping[Identity, str]
) -> Iterator[tuple[Identity, tuple[Problem, ...]]]:
    """Backups and Restores whose objects on a cluster would have one name: `a-b`/`c` and `a`/`b-c`."""
    same: dict[tuple[str, str], set[Identity]] = defaultdict(set)
    for who in (*documents, *recorded):
        if who.kind in ("Backup", "Restore"):
            same[who.kind, f"{who.namespace}-{who.name}"].add(who)
    for (_, name), group in same.items():
        known = group & recorded.keys()
        for who in group & documents.keys() if len(group) > 1 else ():
            if known != {who}:
                others = ", ".join(_place(other, documents, recorded) for other in sorted(group - {who}))
                what = f"the objects of {who} on the clusters would have the same name, …-{name}, as those of {others}"
                yield who, (Problem(documents[who].at("metadata", "name"), what, "rename it", who),)


def _place(who: Identity, documents: Mapping[Identity, Document], recorded: Mapping[Identity, str]) -> str:
    return f"{who} ({documents[who].position if who in documents else 'recorded from ' + printable(recorded[who])})"
