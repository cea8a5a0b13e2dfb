"""The bare repository that is the ledger: commits of people, and all that its branches ever stood at.

A commit is judged by what people meant with it (`Tree`), a record by what lies in the repository. Where a branch stood
and who moved it there is read from git's own log of the ref.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reconciler import records
from reconciler.records import LEDGER_PATH, Recorded, path_of
from reconciler.resources import Identity
from tests.soak.clock import Clock
from tests.soak.people import BASE, CROWDS, FIRST, OBJECTS, PAUSED, Tree

LEDGER_ID: Final = "0d9c6a0e-5a3b-4f0e-9a52-0123456789ab"
GHOST: Final = Identity("Restore", "default", "ghost")
"""Nobody ever asks for it, and somebody writes a record of it."""
_WISHES: Final = (BASE, *OBJECTS.values(), *(wish for crowd in CROWDS.values() for wish in crowd))
PATHS: Final = (LEDGER_PATH, *(path_of(Identity(wish.kind, "default", wish.name)) for wish in _WISHES), path_of(GHOST))
ENVIRONMENT: Final = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "0"}
"""So that nothing of the user's configuration takes part."""


@dataclass(frozen=True, slots=True)
class Stand:
    """From `since` on the tracked branch stood at `files`, the ledger's at `ledger`."""

    since: float
    files: str
    ledger: str


@dataclass(slots=True)
class Branch:
    """`chain`: its first-parent commits as it stands, oldest first; `moves`: those that were not people's."""

    name: str
    chain: list[str]
    read: int = 0
    moves: list[tuple[str, str]] = field(default_factory=list)
    forced: set[str] = field(default_factory=set)
    """Commits that people took away again."""

    @property
    def tip(self) -> str:
        return self.chain[-1]


class Upstream:
    """The repository in `folder`, whose branches begin as they lie there."""

    def __init__(self, folder: Path, clock: Clock, apart: bool) -> None:
        self.folder, self._clock = folder, clock
        self.main = self._branch("main")
        self.ledger = self._branch("records") if apart else self.main
        self.trees: dict[str, Tree] = {self.main.tip: FIRST}
        self.history: list[Tree] = [FIRST]
        self.floor = {branch.name: len(branch.chain) for branch in (self.main, self.ledger)}
        self.stands = [Stand(clock.seconds, self.main.tip, self.ledger.tip)]
        self.by_people = 0
        self._ours = {self.ledger.tip: self.ledger.tip}
        self._recorded: dict[str, Recorded] = {}
        self._files: dict[str, dict[str, bytes]] = {}
        self._revisions: dict[str, str] = {}
        self._tampered: list[tuple[str, str | None]] = []

    def git(self, *args: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        assert not done.returncode, f"git {args}: {done.stderr}"
        return done.stdout

    @property
    def branches(self) -> tuple[Branch, ...]:
        return (self.main,) if self.main is self.ledger else (self.main, self.ledger)

    @property
    def tree(self) -> Tree:
        """What people have at the tip."""
        return self.trees[self.main.tip]

    # ------------------------------------------------------------ what people do

    def commit(self, tree: Tree, parent: str = "") -> None:
        """A commit of a human on the tip; on another `parent` it is a push that was forced."""
        before, after = self.trees[parent or self.main.tip].contents(), tree.contents()
        changes = {
            path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
        }
        self._import(self.main, changes, parent)
        self.trees[self.main.tip] = tree
        self.history.append(tree)

    def tamper(self, path: str, content: str | None) -> None:
        """A human changes or deletes what only the reconciler writes."""
        self._import(self.ledger, {path: content})
        self._tampered.append((path, content))
        if self.ledger is self.main:
            self.trees[self.main.tip] = self.trees[self.main.chain[-2]]

    def set_back(self, branch: Branch, commits: int) -> None:
        """A human forces a push that takes the newest commits away, but not what was there at first."""
        there = max(self.floor[branch.name], len(branch.chain) - commits)
        if there == len(branch.chain):
            return
        self.note()
        self.git("update-ref", f"refs/heads/{branch.name}", branch.chain[there - 1])
        branch.forced |= set(branch.chain[there:])
        branch.chain = branch.chain[:there]
        self._by_people(branch)

    def amend(self) -> None:
        """A human rewrites the newest commit, if it is a human's, and says the same."""
        ours = {new for _, new in self.main.moves}
        if len(self.main.chain) > self.floor["main"] and self.main.tip not in ours and self.main.tip in self.trees:
            tree, parent = self.tree, self.main.chain[-2]
            if tree == self.trees[parent]:
                return
            self.main.forced.add(self.main.chain.pop())
            self.commit(tree, parent)

    def _import(self, branch: Branch, changes: Mapping[str, str | None], parent: str = "") -> None:
        self.note()
        ref = f"refs/heads/{branch.name}"
        lines = [f"commit {ref}", f"committer Human <human@example.org> {int(time.time())} +0000"]
        lines += ["data <<END", f"Change {self.by_people}", "END", f"from {parent or branch.tip}"]
        for path, content in sorted(changes.items()):
            if content is None:
                lines.append(f"D {path}")
            else:
                lines += [f"M 100644 inline {path}", f"data {len(content.encode())}", content]
        self.git("fast-import", "--quiet", "--force", stdin="\n".join(lines) + "\n")
        before = parent or branch.tip
        branch.chain.append(self._read(ref))
        if branch is self.ledger:
            self._ours[branch.tip] = self._ours[before]
        self._by_people(branch)

    def _by_people(self, branch: Branch) -> None:
        self.by_people += 1
        branch.read = self._log(branch).stat().st_size
        self._stands()

    # ------------------------------------------------------------ what came of it

    def note(self) -> None:
        """Takes down where others moved the branches since; while the server is away nobody does."""
        for branch in self.branches:
            log = self._log(branch)
            if not log.exists() or log.stat().st_size == branch.read:
                continue
            lines = log.read_bytes()[branch.read :].decode().splitlines()
            branch.read = log.stat().st_size
            for line in lines:
                old, new = line.split(" ", 2)[:2]
                branch.moves.append((old, new))
                branch.chain.append(new)
                if branch is self.main:
                    self.trees[new] = self.trees[old]
                if branch is self.ledger:
                    self._ours[new] = new
                self._stands()

    def asked(self, seconds: float) -> list[Stand]:
        """Where the branches stood at any moment of the last seconds."""
        self.note()
        since = self._clock.seconds - seconds
        ends = [*(stand.since for stand in self.stands[1:]), self._clock.seconds]
        return [stand for stand, end in zip(self.stands, ends, strict=True) if end >= since]

    def recorded(self, commit: str) -> Recorded:
        """What counts at a commit of the ledger's branch: the records as of the last one there that is not people's."""
        commit = self._ours[commit]
        if commit not in self._recorded:
            files = self._read_files(commit)
            about = files.pop("").decode()
            self._revisions[commit] = about.partition("\nReconciled-Revision: ")[2].partition("\n")[0]
            found = records.load(files)
            assert found is not None, "the ledger is gone"
            self._recorded[commit], self._files[commit] = found, files
        return self._recorded[commit]

    def revision(self, commit: str) -> str:
        """The commit whose files a commit of ours was decided on, as it says itself."""
        self.recorded(commit)
        return self._revisions[commit]

    def taken_over(self, old: str, new: str) -> list[str]:
        """The records that people changed before `new`, a commit of ours on `old`, and that are so in it."""
        before, after = self._files[self._ours[old]], self._files[new]
        changed = [(path, content.encode() if content is not None else None) for path, content in self._tampered]
        self._tampered.clear()
        return [path for path, content in changed if after.get(path) == content and before.get(path) != content]

    def _read_files(self, commit: str) -> dict[str, bytes]:
        """The commit itself under an empty name, and what is there of all that may be."""
        asked = {"": commit, **{path: f"{commit}:{path}" for path in PATHS}}
        answer = self.git("cat-file", "--batch", stdin="".join(f"{name}\n" for name in asked.values())).encode()
        files = {}
        for path in asked:
            head, _, answer = answer.partition(b"\n")
            if not head.endswith(b" missing"):
                size = int(head.rpartition(b" ")[2])
                files[path], answer = answer[:size], answer[size + 1 :]
        return files

    def at_last(self) -> None:
        """No push was forced, and what was committed by others touches their folder alone."""
        self.note()
        for branch in self.branches:
            moves = {new: old for old, new in branch.moves}
            shape = ("log", "--no-walk=unsorted", "--stdin", "--format=%x01%H %P", "--name-only", "-m", "--root")
            told = self.git(*shape, stdin="\n".join(moves) + "\n") if moves else ""
            for piece in told.split("\x01")[1:]:
                head, *paths = piece.split("\n")
                commit, _, parents = head.partition(" ")
                assert parents == moves[commit], (
                    f"{branch.name} went from {moves[commit]} to {commit}: not a child of it"
                )
                wrong = [path for path in paths if path and not path.startswith("status/")]
                assert not wrong, f"a commit of ours changes {wrong}"
        listed = self.git("ls-tree", "-r", "--name-only", "main", *("fleets", "backups", "restores", PAUSED)).split()
        names = {path for path in listed if not path.endswith(".gitkeep")}
        assert names == set(self.tree.contents()), "what people committed is not there"
        self.put_back()

    def put_back(self) -> None:
        """The records stand as our last commit has them: a whole pass leaves nothing of what people made of them."""
        if self._ours[self.ledger.tip] != self.ledger.tip:
            stands, ours = (f"{commit}:status" for commit in (self.ledger.tip, self._ours[self.ledger.tip]))
            same = len(set(self.git("rev-parse", stands, ours).split())) == 1
            assert same, "what people made of the records was not put back"

    def _branch(self, name: str) -> Branch:
        branch = Branch(name, self.git("rev-list", "--first-parent", "--reverse", name).split())
        branch.read = self._log(branch).stat().st_size
        return branch

    def _stands(self) -> None:
        self.stands.append(Stand(self._clock.seconds, self.main.tip, self.ledger.tip))

    def _log(self, branch: Branch) -> Path:
        return self.folder / "logs" / "refs" / "heads" / branch.name

    def _read(self, ref: str) -> str:
        return (self.folder / ref).read_text().strip()
