"""Why a remote refused a push or a fetch: what git, ssh, curl and the forges say, as a cause and what to do.

Pure; called by `commit` and `mirror` with what git printed (in English, which `Git` asks for). The first row with all
its signs in one line, whatever the case, decides. So rows that know more stand before those that know less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.errors import Cause

_ALLOW: Final = "allow the reconciler's account to push to it, or keep the records on another with --status-branch"
_PROTECTED: Final = f"the branch is protected; {_ALLOW}"
_RULE: Final = "a push rule of the server refuses our commit; exempt the reconciler's account from it, or satisfy it"
_SIGN: Final = "the server takes signed commits alone; give --signing-key, and register its public key there"
_MAIL: Final = "the server does not take the committer's mail; give one that it takes with --committer"
_CREDENTIALS: Final = "the credentials are not accepted; renew them (--git-token-file, --ssh-key-file)"
_NONE: Final = "there are no credentials for it; give --git-token-file, or a credential helper in git's configuration"
_WRITE: Final = "no permission to write there"
_SEEN: Final = "it is not there, or the account may not see it; check --repo and what the account may do"
_READ_ONLY: Final = "the repository is read-only there; open it for writing again"
_HOST_KEY: Final = "the server's host key is not the known one; compare it, and put it into --ssh-known-hosts"
_CERTIFICATE: Final = "the server's certificate is not trusted; give the CA that signed it with --git-ca-file"
_PROXY: Final = "the proxy wants credentials; put them into https_proxy or git's http.proxy"
_BUSY: Final = "the server is in trouble or asks to slow down; give it time"
_UNREACHED: Final = "the server is not reached; see that it is up, and the way there open"
_CUT: Final = "the connection ended before its time; see that the way there is open"
_RACE: Final = "somebody else pushed at the same moment"
_FULL: Final = "the disk is full"
_FULL_THERE: Final = "the remote's disk is full"
_QUOTA_THERE: Final = "the repository is over its limit there; make room, or raise the limit"

_P, _H, _A, _N, _D, _R, _O = (
    *(Cause.PROTECTED, Cause.HOOK, Cause.PERMISSION, Cause.NETWORK, Cause.DISK, Cause.RACE, Cause.OTHER),
)
_TABLE: Final[tuple[tuple[str | tuple[str, ...], Cause, str], ...]] = (
    # Disks: the other end's lines carry a prefix.
    (("remote:", "no space left on device"), _D, _FULL_THERE),
    (("remote unpack failed", "no space left"), _D, _FULL_THERE),
    (("remote:", "disk quota exceeded"), _D, _FULL_THERE),
    (("remote:", "out of diskspace"), _D, _FULL_THERE),
    (("remote:", "read-only file system"), _D, "the remote's file system is read-only"),
    ("no space left on device", _D, _FULL),
    ("out of diskspace", _D, _FULL),
    (("couldn't write '", ".lock'"), _D, "the disk takes no more; make room on it"),
    ("disk quota exceeded", _D, "the disk quota is used up"),
    ("read-only file system", _D, "the file system is read-only"),
    ("over its size limit", _D, _QUOTA_THERE),  # Bitbucket
    ("exceed the allocated storage", _D, _QUOTA_THERE),  # GitLab
    (("forgejo:", "quota exceeded"), _D, _QUOTA_THERE),
    # Rules on what a commit looks like, before the rules on a branch whose words they share.
    ("gh007", _H, _MAIL),
    ("committer's email", _H, _MAIL),
    ("author's email", _H, _MAIL),
    ("is not verified in your account", _H, _MAIL),
    ("commits must have verified signatures", _H, _SIGN),
    ("commit must be signed", _H, _SIGN),
    ("commit message does not follow", _H, _RULE),
    ("is not a member of team", _H, _RULE),
    ("gh009", _H, _RULE),
    ("gh001", _H, _RULE),
    # Branches.
    ("gh006", _P, _PROTECTED),
    ("gh013", _P, _PROTECTED),
    ("gh003", _P, _PROTECTED),
    ("push declined due to repository rule violations", _P, _PROTECTED),
    ("protected branch", _P, _PROTECTED),
    ("is protected from", _P, _PROTECTED),  # Gitea, Forgejo
    ("permission denied to update branch", _P, _PROTECTED),  # Bitbucket Cloud
    ("can only be modified through pull requests", _P, _PROTECTED),  # Bitbucket Data Center
    ("branch restrictions", _P, _PROTECTED),
    ("tf402455", _P, _PROTECTED),
    # Somebody else was faster.
    ("(non-fast-forward)", _R, _RACE),
    ("(fetch first)", _R, _RACE),
    ("(stale info)", _R, _RACE),
    ("tf401028", _R, _RACE),
    ("cannot lock ref", _R, _RACE),
    ("unable to update local ref", _R, _RACE),
    ("failed to update ref", _R, _RACE),
    ("failed to lock", _R, _RACE),
    ("incorrect old value", _R, _RACE),
    ("reference already exists", _R, _RACE),
    ("another git process seems to be running", _R, _RACE),
    # Who they are.
    ("host key verification failed", _A, _HOST_KEY),
    ("certificate verification failed", _A, _CERTIFICATE),
    ("ssl certificate problem", _A, _CERTIFICATE),
    ("no alternative certificate subject name matches", _A, _CERTIFICATE),
    ("error setting certificate", _A, "the file of --git-ca-file holds no certificate that can be read"),
    ("407 from proxy", _A, _PROXY),
    ("response 407", _A, _PROXY),
    # Who we are.
    ("unprotected private key file", _A, "others may read the private key of --ssh-key-file; make it 0600"),
    ("permission denied (", _A, _CREDENTIALS),  # ssh: which ways it tried
    ("too many authentication failures", _A, _CREDENTIALS),
    ("authentication failed", _A, _CREDENTIALS),
    ("http basic: access denied", _A, _CREDENTIALS),
    ("invalid username or", _A, _CREDENTIALS),
    ("returned error: 401", _A, _CREDENTIALS),
    ("saml sso", _A, "the token is not authorised for the organisation's single sign-on; authorise it there"),
    ("could not read username", _A, _NONE),
    ("could not read password", _A, _NONE),
    ("marked as read only", _A, f"{_WRITE}: the deploy key is read-only"),
    ("was archived", _A, _READ_ONLY),
    ("read-only gitlab instance", _N, _BUSY),
    ("not allowed to push", _A, _WRITE),
    ("not allowed to upload", _A, _WRITE),
    ("user permission denied", _A, _WRITE),
    ("write access to repository not granted", _A, _WRITE),
    ("tf401027", _A, _WRITE),
    ("could not be found or you don't have permission", _A, _SEEN),
    ("permission to", _A, _WRITE),
    ("returned error: 403", _A, _WRITE),
    ("insufficient permission", _A, "no permission to write into the repository"),
    ("permission denied", _A, _WRITE),
    ("repository access denied", _A, _SEEN),
    ("tf401019", _A, _SEEN),
    ("repository not found", _A, _SEEN),
    ("returned error: 404", _A, _SEEN),
    (("repository '", "' not found"), _A, _SEEN),
    ("you may not have access to this repository", _A, _SEEN),
    ("does not appear to be a git repository", _A, _SEEN),
    # The way there.
    ("could not resolve host", _N, "the host is not known; check --repo and DNS"),
    ("could not resolve proxy", _N, "the proxy's host is not known; check https_proxy or git's http.proxy"),
    ("returned error: 429", _N, _BUSY),
    ("returned error: 5", _N, _BUSY),
    ("rate limit", _N, _BUSY),
    ("internal server error", _N, _BUSY),
    ("connection refused", _N, _UNREACHED),
    ("couldn't connect to server", _N, _UNREACHED),
    ("could not connect to server", _N, _UNREACHED),
    ("connection timed out", _N, _UNREACHED),
    ("operation timed out", _N, _UNREACHED),
    ("network is unreachable", _N, _UNREACHED),
    ("no route to host", _N, _UNREACHED),
    ("did not finish within", _N, _UNREACHED),  # our own limit
    ("from proxy after connect", _N, "the proxy does not let us through; check its rules and NO_PROXY"),
    ("connect tunnel failed", _N, "the proxy does not let us through; check its rules and NO_PROXY"),
    ("gnutls_handshake", _N, _CUT),
    ("tls connect error", _N, _CUT),
    ("ssl_connect", _N, _CUT),
    ("ssl_read", _N, _CUT),
    ("connection reset", _N, _CUT),
    ("broken pipe", _N, _CUT),
    ("connection closed by", _N, _CUT),
    ("empty reply from server", _N, _CUT),
    ("rpc failed", _N, _CUT),
    ("hung up unexpectedly", _N, _CUT),
    ("unexpected disconnect", _N, _CUT),
    ("early eof", _N, _CUT),
    ("transfer closed with", _N, _CUT),
    ("gnutls recv error", _N, _CUT),
    # The rest: a hook speaks for itself, and git's own refusals are about how the remote is set up.
    ("branch is currently checked out", _O, "the branch is checked out there; use a bare repository as remote"),
    ("shallow update not allowed", _O, "the clone is shallow, which the remote refuses; run git fetch --unshallow"),
    ("deny updating a hidden ref", _P, _PROTECTED),
    ("gitlab:", _H, _RULE),
    ("hook declined", _H, f"a hook of the remote declined it; {_ALLOW}"),
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """`words`: what it means and what to do, empty where that is not known; `line`: the one that told."""

    cause: Cause
    words: str
    line: str


def classify(text: str) -> Rejection:
    """What git's output says. `OTHER` without words where no line is known."""
    lines = [(line.strip(), line.lower()) for line in text.splitlines() if line.strip()]
    for signs, cause, words in _TABLE:
        for line, lowered in lines:
            if all(sign in lowered for sign in ((signs,) if isinstance(signs, str) else signs)):
                return Rejection(cause, words, line)
    return Rejection(Cause.OTHER, "", "")
