"""Every error that the program raises on purpose, and what each means for the pass and the exit code.

Library exceptions stop at their door and are chained with ``from``; nothing else crosses a module.
A message names the file and line or the cluster, says what is wrong and what to do, and never holds a secret.

    ReconcilerError                what the user reads; ends the command with exit code 2
    ├── SettingsError              an option or environment variable is wrong
    ├── NotFound                   no such record (exit code 1)
    ├── Unsafe                     refused without an explicit flag
    ├── RepositoryError            git could not do it, or the repository is not fit for it
    │   ├── NotARepository
    │   ├── NoSuchBranch
    │   ├── NoLedger               `reconciler init` was never run here
    │   ├── LedgerMismatch         the ledger belongs to another branch or path
    │   ├── HistoryRewritten       the tip lacks our own last commit
    │   ├── TooShallow             the clone does not reach back far enough
    │   ├── WorkTreeBusy           locked index, merge under way, dirty `status/`
    │   ├── FetchFailed
    │   ├── PushFailed             rejected for a reason that trying again at once does not mend
    │   └── TipMoved               somebody else was faster: fetch, decide again, commit again
    ├── RecordError                a file under `status/` is not a record of this version
    └── MemberError                one cluster; becomes the reason of its runs, never stops a pass
        ├── KubeconfigError        no usable kubeconfig for it
        ├── Unreachable            failed before a connection was there: nothing was sent
        ├── Refused                a Kubernetes Status that proves that nothing was done (400, 401, 403, 404, 422)
        ├── AlreadyExists          409 on a create
        └── Unclear                anything else: the request may have taken effect, look
"""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why git, or the server at the other end, refused; a label of metrics, so these stay few.

    RACE: somebody else was faster, so trying again at once helps. PROTECTED: a rule of the branch. HOOK: a hook or push
    rule of the server that looked at our commit. PERMISSION: who we are, or who the server is, is not accepted: wrong
    credentials, no rights, an unknown host key or certificate. NETWORK: not reached, cut short, or the server itself is
    in trouble, which may mend by itself. DISK: no space or a read-only file system, at either end.
    """

    RACE = "race"
    PROTECTED = "protected"
    HOOK = "hook"
    PERMISSION = "permission"
    NETWORK = "network"
    DISK = "disk"
    OTHER = "other"


class ReconcilerError(Exception):
    """Base of all errors with a message fit for the user."""

    exit_code = 2


class SettingsError(ReconcilerError):
    """An option or environment variable is wrong."""


class NotFound(ReconcilerError):
    """Nothing is recorded under that kind and name."""

    exit_code = 1


class Unsafe(ReconcilerError):
    """The change is too large, or would lose something, and the flag that allows it was not given."""


class RepositoryError(ReconcilerError):
    """Git could not do what was asked, or the repository is not fit for it; `cause` says why where that is known."""

    def __init__(self, message: str = "", cause: Cause = Cause.OTHER) -> None:
        super().__init__(message)
        self.cause = cause


class NotARepository(RepositoryError):
    """The path holds no git repository."""


class NoSuchBranch(RepositoryError):
    """The tracked branch does not exist, or has no commit."""


class NoLedger(RepositoryError):
    """No ledger says here what ran; it may be in another folder, or on another branch."""


class LedgerMismatch(RepositoryError):
    """The ledger was made for another branch or path."""


class HistoryRewritten(RepositoryError):
    """The tip no longer contains the last commit of ours that this machine saw."""


class TooShallow(RepositoryError):
    """The clone's history ends before the commit that is looked for."""


class WorkTreeBusy(RepositoryError):
    """The checkout can't take our commit now: locked index, merge under way, or dirty `status/`."""


class FetchFailed(RepositoryError):
    """The remote could not be read, so nothing is known about the tip."""


class PushFailed(RepositoryError):
    """The remote rejected our commit, and trying again at once would not help."""


class TipMoved(RepositoryError):
    """The branch moved while we decided: fetch, decide again, commit again."""

    def __init__(self, message: str = "", cause: Cause = Cause.RACE) -> None:
        super().__init__(message, cause)


class RecordError(ReconcilerError):
    """A file under `status/` can't be read as a record of this version."""


class MemberError(ReconcilerError):
    """Something about one cluster. `reason` is a documented CamelCase word that goes into its runs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class KubeconfigError(MemberError):
    """There is no usable kubeconfig for the cluster."""


class Unreachable(MemberError):
    """No connection came about, so nothing was sent."""


class Refused(MemberError):
    """The API server answered with a Status that proves that the request did nothing.

    `code` is the HTTP status: 400, 401, 403, 404 or 422; `subject` is `<resource>/<name>` of what it speaks of.
    """

    def __init__(self, reason: str, message: str, code: int, subject: str) -> None:
        super().__init__(reason, message)
        self.code = code
        self.subject = subject


class AlreadyExists(MemberError):
    """409: the name is taken; whose it is must be looked up."""


class Unclear(MemberError):
    """The request may have taken effect: a time-out, a broken answer, 429, 5xx, or no Kubernetes Status at all."""
