"""Which records there are, by their paths alone: for the shell, which completes names while somebody types."""

from __future__ import annotations

from reconciler.repository.branches import find
from reconciler.repository.commit import refs
from reconciler.repository.history import History
from reconciler.repository.location import clean_path
from reconciler.repository.model import STATUS, Tracked
from reconciler.repository.urls import is_url


def record_paths(tracked: Tracked, folder: str) -> tuple[str, ...]:
    """The files in a folder of `status/`, relative to `Tracked.path`, as our copy of the ledger's branch has them.

    Nothing is fetched; of a URL, which would have to be asked, none. Raises RepositoryError and its kin.
    """
    if is_url(tracked.location):
        return ()
    place = find(tracked).ledger
    prefix = History(place.git, place.common, clean_path(tracked.path)).prefix
    tip = refs(place)[0]
    if tip is None:
        return ()
    listed = place.git.text("ls-tree", "-r", "-z", "--full-tree", "--name-only", tip, f"{prefix}{STATUS}/{folder}")
    return tuple(path.removeprefix(prefix) for path in listed.split("\0") if path)
