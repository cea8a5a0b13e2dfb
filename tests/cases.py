"""What GitOps and restore tools got wrong elsewhere, and what each case demands here.

`@pytest.mark.case("<key>", "<demand>", ...)` says which demands of a case a test holds; without a demand, all of them.
`test_cases` fails where a demand has no test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OURS: Final = "none that is known; a case of our own"


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `seen_in`: where others met it, an issue or advisory; `demands`: each thing that must hold here."""

    key: str
    what: str
    seen_in: str
    demands: tuple[str, ...]


GIT: Final = (
    Case(
        "two-writers",
        "two writers push at once, and one of them is no fast-forward any more",
        "Flux image-automation-controller #365",
        ("fetched, decided and committed again", "never forced", "nothing lost"),
    ),
    Case(
        "repeated-commits",
        "empty commits, or the same one again and again",
        "Flux image-automation-controller #466, flux2 #3384",
        ("a hundred passes with nothing new make no commit",),
    ),
    Case(
        "users-files",
        "comments, indentation or `---` are lost, files that have nothing to do with it are rewritten",
        "Flux image-automation-controller #68, flux2 #1441",
        ("stay byte-identical",),
    ),
    Case(
        "own-commit",
        "its own commit wakes the daemon, which commits, which wakes it",
        "Flux image-automation-controller #52",
        ("no further pass does any work",),
    ),
    Case(
        "rollback",
        "what a human takes back is brought about again",
        "argocd-image-updater #1249",
        (
            "a revert of a restore file is obeyed",
            "a revert of a record is put back and reported",
            "a deletion of a record is put back and reported",
            "nothing runs twice",
        ),
    ),
    Case("spellings", "one repository by two spellings of its URL", "argo-cd #23564", ("one mirror",)),
    Case(
        "not-ours",
        "files that it does not own are deleted",
        "argo-cd #23944",
        ("nothing outside of status/ is touched",),
    ),
    Case(
        "links",
        "symlinks that lead elsewhere",
        "CVE-2022-31036, GHSA-6gcg-hp2x-q54h",
        (*("dangling", "absolute", "upwards", "chained", "folder"), "named", "content never echoed"),
    ),
    Case(
        "names",
        "a name in metadata becomes a path",
        "CVE-2022-24877",
        ("checked as RFC 1123", "before any path is made"),
    ),
    Case(
        "outage",
        "an outage of git is taken for an empty repository",
        "argo-cd #3473",
        (
            "a failed fetch does nothing",
            "a partial fetch does nothing",
            "nothing is deleted",
            "mass removal needs a word",
        ),
    ),
    Case(
        "history",
        "a history that is not all there, or is another one",
        OURS,
        (*("too shallow", "how to deepen"), *("force-pushed", "rewritten", "deleted branch", "accepted by a word")),
    ),
    Case(
        "programs",
        "what a repository or URL brings along is run",
        "CVE-2022-24439 and those after it",
        ("hooks", "submodules", "filters", "transport helpers", "schemes", "options"),
    ),
    Case(
        "unfit",
        "a checkout that can't be written",
        OURS,
        ("locked index", "read-only", "full disk", "told with exit 2", "unharmed"),
    ),
    Case("no-identity", "git knows no name and no mail", OURS, ("a default one",)),
    Case(
        "old-repository",
        "pointed at an old repository that is full of finished restores",
        OURS,
        ("stops without a ledger", "init holds them"),
    ),
    Case(
        "broken-file",
        "a file with an error makes its objects look removed",
        OURS,
        ("nothing that waits is withdrawn", "no schedule is deleted"),
    ),
)

YAML: Final = (
    Case(
        "bombs",
        "files that cost more to read than to write",
        "CVE-2019-11253, GHSA-jhqp-vf4w-rpwq",
        ("aliases", "file of 1 MiB", "depth of 50", "repository of 64 MiB", "50,000 files", "the other files go on"),
    ),
    Case(
        "documents",
        "bytes and structure that readers of YAML take differently",
        OURS,
        (
            *("duplicate keys", "tags", "NUL", "BOM", "latin-1", "CRLF", "tabs", "empty document", "list document"),
            "file and line",
        ),
    ),
    Case(
        "scalars",
        "plain words that are no text to some",
        "YAML 1.1 against 1.2",
        ("words", "numbers", "times", "null", "dates", "told to quote it"),
    ),
    Case("nameless", "no name, no namespace", OURS, ("generateName", "namespace defaults to default")),
)

CLUSTERS: Final = (
    Case(
        "kubeconfig",
        "a kubeconfig runs a program or reads a file",
        "CVE-2022-24817",
        ("exec", "auth-provider", "tokenFile", "allowed by a word"),
    ),
    Case(
        "secrets",
        "credentials stand in what everyone may read",
        "argo-cd #12309, CVE-2025-55190",
        ("kubeconfig", "URL with a password", "what is printed", "logs", "records and commits", "git configuration"),
    ),
    Case(
        "bad-member",
        "a member that does not answer as it should",
        OURS,
        (
            *("slow", "never", "half", "garbage", "429", "500", "401", "403", "expired certificate", "redirect"),
            *("waits with a reason", "the others finish", "bounded time"),
        ),
    ),
    Case(
        "stuck",
        "a Restore that is InProgress for hours, as when Velero is down",
        "velero #7207",
        ("stays InProgress", "shown with its age", "other restores go on"),
    ),
    Case(
        "finalizing",
        "FinalizingPartiallyFailed is taken for success",
        "cluster-backup-operator #698",
        ("not terminal",),
    ),
    Case(
        "expired-backup",
        "a finished Restore goes with its expired backup, and is made anew",
        "ionfury/homelab #1031",
        ("never created again",),
    ),
    Case("restart", "Velero and the reconciler start again while a Restore is New", OURS, ("one restore", "recorded")),
    Case(
        "gone-meanwhile",
        "finished, and gone before anyone looked",
        OURS,
        ("deleted by hand", "its backup deleted"),
    ),
    Case("late-process", "a process that was paused goes on by an old plan", OURS, ("creates nothing",)),
    Case("raised", "the attempt is raised while the first one runs", OURS, ("waits", "both are recorded")),
    Case(
        "two-names",
        "a kubeconfig leads to another cluster, or two lead to one",
        OURS,
        ("led elsewhere", "two names for one cluster"),
    ),
    Case("clocks", "clocks differ, and time goes back", OURS, ("nothing runs twice", "no age is negative")),
)

CASES: Final = {case.key: case for case in (*GIT, *YAML, *CLUSTERS)}
