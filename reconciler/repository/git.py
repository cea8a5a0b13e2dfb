"""The one place that starts git: hardened, bounded in time, and with passwords masked in whatever it says.

Nothing that a repository brings along runs (hooks, fsmonitor, submodules, transport helpers); what the user configured
for access (credential helpers, ssh command, proxies) keeps working.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from reconciler.errors import Cause, RepositoryError
from reconciler.repository.access import Live
from reconciler.repository.rejections import classify
from reconciler.repository.urls import mask

os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # or the import itself fails where git is missing
import git

NETWORK: Final = 60.0
"""Seconds that a command over the network may take."""
CLONE: Final = 600.0
"""Seconds that the first fetch of a mirror may take."""
LOCAL: Final = 300.0
"""Seconds that any other command may take; where it is read piece by piece, that it may say nothing."""

_REMOTE: Final = ("fetch", "ls-remote", "push")
"""The commands that go over the network."""
_GRACE: Final = 2.0
"""Seconds that git gets to remove its locks when it is stopped."""

_CONFIG: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "push.recurseSubmodules=no",
    "push.gpgSign=false",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "core.fsync=committed,reference",  # a record that a power cut takes back is a restore that may run twice
    "trailer.separators=:",
)
_ENVIRONMENT: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "SSH_ASKPASS_REQUIRE": "never",
}
# Set where we are started from a hook or an alias; they would point git at another repository.
_FOREIGN: Final = tuple(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "INDEX_FILE", "COMMON_DIR", "OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES"),
        *("NAMESPACE", "PREFIX", "QUARANTINE_PATH", "SHALLOW_FILE", "GRAFT_FILE", "EXTERNAL_DIFF", "CURL_VERBOSE"),
        *("GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS", "AUTHOR_DATE", "COMMITTER_DATE"),
    )
)


@dataclass(frozen=True, slots=True)
class Result:
    """What a git command came to: exit code, raw stdout, and stderr as masked text."""

    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True)
class Git:
    """Git commands in one repository.

    `directory`: where they run; `git_dir`: the repository, None only to find or make one; `work_tree`: its checkout.
    `config`: settings that must not show in a process list, `env`: variables; `secrets`: texts never to be shown.
    `live`: what commands over the network get besides, read anew for each; `without`: variables that git is not to get.
    """

    directory: Path
    git_dir: Path | None = None
    work_tree: Path | None = None
    config: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    live: Live | None = None
    without: tuple[str, ...] = ()

    def at(self, directory: Path, git_dir: Path | None, work_tree: Path | None = None) -> Git:
        """The same settings in another directory."""
        return replace(self, directory=directory, git_dir=git_dir, work_tree=work_tree)

    def run(
        self, *args: str, stdin: bytes = b"", timeout: float = LOCAL, env: Mapping[str, str] | None = None
    ) -> Result:
        """Run one command to its end, whatever its exit code.

        Raises RepositoryError where it can't be started or takes longer than `timeout` seconds (it is killed then).
        """
        remote, secrets = args[0] in _REMOTE, self.secrets
        if remote and self.live is not None:
            variables, hidden = self.live.read()
            env, secrets = {**dict(variables), **(env or {})}, (*secrets, *hidden)
        process = self._start(args, env, piped=bool(stdin))
        try:
            out, err = process.communicate(stdin or None, timeout=timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise RepositoryError(
                f"git {args[0]} did not finish within {timeout:.0f} s and was stopped",
                Cause.NETWORK if remote else Cause.OTHER,
            ) from None
        except BaseException:
            _kill(process)
            raise
        return Result(process.returncode, out, mask(err.decode(errors="replace"), secrets))

    def out(
        self, *args: str, stdin: bytes = b"", timeout: float = LOCAL, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run one command and return its stdout. Raises RepositoryError with git's own line where it fails."""
        result = self.run(*args, stdin=stdin, timeout=timeout, env=env)
        if result.code:
            full = classify(result.err).cause is Cause.DISK  # the other causes are those of a remote
            said = plain(result.err) if result.code > 0 or result.err.strip() else _ended_by(-result.code)
            raise RepositoryError(f"git {args[0]} failed: {said}", Cause.DISK if full else Cause.OTHER)
        return result.out

    def text(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """`out` as text, without the last newline."""
        return self.out(*args, stdin=stdin, env=env).decode(errors="replace").rstrip("\n")

    @contextlib.contextmanager
    def pieces(self, *args: str, end: bytes = b"\n") -> Iterator[Iterator[bytes]]:
        """Stdout piece by piece, each without its `end`, so that one may stop early; git is stopped at the exit.

        The reader may take its time. Raises RepositoryError where git fails before it was stopped.
        """
        process = self._start(args, None, piped=False)
        try:
            yield self._pieces(process, args[0], end)
        finally:
            _kill(process)

    @contextlib.contextmanager
    def objects(self) -> Iterator[Callable[[str], bytes | None]]:
        """A function from the name of an object to its content, None where there is none; one process for all of them.

        A name (`id`, `commit:path`) holds no newline. The function raises RepositoryError where git fails.
        """
        process = self._start(("cat-file", "--batch"), None, piped=True)
        try:
            yield lambda name: self._object(process, name)
        finally:
            _kill(process)

    def _object(self, process: subprocess.Popen[bytes], name: str) -> bytes | None:
        into, out = process.stdin, process.stdout
        if into is None or out is None:
            return None  # never: both are pipes
        try:
            into.write(os.fsencode(name) + b"\n")
            into.flush()
        except BrokenPipeError:
            raise RepositoryError("git cat-file ended before its time; run git fsck") from None
        _wait(process, "cat-file")
        about = out.readline()
        if about.endswith((b" missing\n", b" ambiguous\n")):
            return None
        size = about.rpartition(b" ")[2].strip()
        content = out.read(int(size) + 1) if size.isdigit() else b""
        if not content.endswith(b"\n"):
            raise RepositoryError(f"git cat-file could not read {name[:50]}; run git fsck")
        return content[:-1]

    def _pieces(self, process: subprocess.Popen[bytes], command: str, end: bytes) -> Iterator[bytes]:
        out, err = process.stdout, process.stderr
        if out is None or err is None:
            return  # never: both are pipes
        rest = b""
        while _wait(process, command) and (chunk := out.read1()):  # type: ignore[attr-defined]  # typeshed says IO
            *whole, rest = (rest + chunk).split(end)
            yield from whole
        if rest:
            yield rest
        error = err.read()
        if process.wait():
            text = mask(error.decode(errors="replace"), self.secrets)
            raise RepositoryError(f"git {command} failed: {plain(text)}")

    def _start(self, args: tuple[str, ...], env: Mapping[str, str] | None, piped: bool) -> subprocess.Popen[bytes]:
        command = ["git", "-C", str(self.directory)]
        foreign = [name for name in (*_FOREIGN, *self.without) if name in os.environ]
        if foreign:
            command = ["env", *(word for name in foreign for word in ("-u", name)), *command]
        if self.git_dir is not None:
            command.append(f"--git-dir={self.git_dir}")
        if self.work_tree is not None:
            command.append(f"--work-tree={self.work_tree}")
        for setting in _CONFIG:
            command += ["-c", setting]
        try:
            started = git.Git().execute(
                [*command, *args],
                istream=subprocess.PIPE if piped else None,
                as_process=True,
                env=self._environment(env),
                start_new_session=True,  # Ctrl-C must not cut a push in two, and ssh must not ask at the terminal
            )
        except git.GitCommandNotFound:
            raise RepositoryError("git is not installed, or not on the PATH") from None
        except OSError as error:
            raise RepositoryError(f"git could not be started: {error.strerror}") from error
        process: subprocess.Popen[bytes] | None = started.proc
        started.proc = None  # ours from here on: GitPython would stop it when the wrapper is collected
        if process is None:
            raise RepositoryError("git could not be started")
        return process

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        result = {name: "0" for name in os.environ if name.startswith("GIT_TRACE")}
        result |= _ENVIRONMENT | dict(self.env) | dict(env or {})
        first = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
        for number, (key, value) in enumerate(self.config, first):
            result |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        if self.config:
            result["GIT_CONFIG_COUNT"] = str(first + len(self.config))
        return result


def _wait(process: subprocess.Popen[bytes], command: str) -> bool:
    """Wait until there is something to read, the end too: True. Raises RepositoryError where nothing comes in time."""
    poll = select.poll()
    if process.stdout is not None:
        poll.register(process.stdout, select.POLLIN)
    if not poll.poll(LOCAL * 1000):
        raise RepositoryError(f"git {command} said nothing for {LOCAL:.0f} s and was stopped")
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process with its helpers (ssh, remote-https), which are its process group.

    It is asked first, as git then removes the locks that it holds.
    """
    for how in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()


def _ended_by(number: int) -> str:
    """In words, a signal: the killer of a machine that is short of memory, say, or the limit of a file's size."""
    return f"signal {number} ended it ({(signal.strsignal(number) or 'unknown').lower()})"


_PLAIN: Final = (
    ("No space left on device", "the disk is full"),
    ("Out of diskspace", "the disk is full"),
    ("couldn't write '", "the disk takes no more"),  # git does not say why
    ("Disk quota exceeded", "the disk quota is used up"),
    ("Read-only file system", "the file system is read-only"),
    ("insufficient permission", "no permission to write into the repository"),
)


def plain(err: str) -> str:
    """The one line of git's stderr that tells the cause, in front of it plain words where we know better."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    if any("dubious ownership" in line for line in lines):
        hint = next((line for line in lines if line.startswith("git config --global")), "")
        return f"the repository belongs to another user; to trust it: {hint}"
    told = next((line for line in lines if line.startswith(("fatal:", "error:", "remote: fatal"))), "")
    told = told or (lines[-1] if lines else "git said nothing")
    for sign, words in _PLAIN:
        cause = next((line for line in lines if sign in line), None)
        if cause is not None:
            return f"{words} ({cause})"
    return told
