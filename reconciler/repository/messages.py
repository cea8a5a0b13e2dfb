"""What git, ssh, curl and the forges say where a remote refuses, each with its cause and what to do.

Read by `rejections` alone. Signs are in lower case; several must stand in one line. The first row that fits decides, so
rows that know more stand before those that know less.
"""

from __future__ import annotations

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
_FILES: Final = "the files of git may not be written by this account; give them to it"
_IN_THE_WAY: Final = "another branch, whose name begins like ours, is in the way; remove it, or take another name"
_NO_GIT: Final = "what answers there is no git server; check --repo, its port, and the proxy"
_DAMAGED: Final = "the remote's repository lacks objects or is damaged; run git fsck there"
_ACCOUNT: Final = "the account is not let in; see to it at the forge"
_KEY: Final = "the file of --ssh-key-file is no private key that can be used; it needs one without a passphrase"
_MOVED: Final = "the repository has moved; give its new address with --repo"

_P, _H, _A, _N, _D, _R, _O = (
    *(Cause.PROTECTED, Cause.HOOK, Cause.PERMISSION, Cause.NETWORK, Cause.DISK, Cause.RACE, Cause.OTHER),
)
TABLE: Final[tuple[tuple[str | tuple[str, ...], Cause, str], ...]] = (
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
    ("exceed the allocated storage", _D, _QUOTA_THERE),  # GitLab, this and the next three
    ("exceeded its size limit", _D, _QUOTA_THERE),
    ("exceed the size limit", _D, _QUOTA_THERE),
    ("exceed storage limits", _D, _QUOTA_THERE),
    (("forgejo:", "quota exceeded"), _D, _QUOTA_THERE),
    # Rules on what a commit looks like, before the rules on a branch whose words they share.
    ("gh007", _H, _MAIL),
    ("committer's email", _H, _MAIL),
    ("author's email", _H, _MAIL),
    ("is not verified in your account", _H, _MAIL),
    ("one of your own verified emails", _H, _MAIL),  # GitLab
    ("author email must", _H, _MAIL),  # GitHub's rulesets
    ("committer email must", _H, _MAIL),
    ("only push your own commits", _H, _MAIL),  # Bitbucket Data Center
    ("does not match your user account", _H, _MAIL),  # Gerrit
    ("commits must have verified signatures", _H, _SIGN),
    ("commit must be signed", _H, _SIGN),
    ("is protected from unverified commit", _H, _SIGN),  # Gitea, Forgejo
    ("commit message does not follow", _H, _RULE),
    ("is not a member of team", _H, _RULE),
    ("gh009", _H, _RULE),
    ("gh001", _H, _RULE),
    ("gh008", _H, _RULE),
    ("push cannot contain secrets", _H, _RULE),  # GitHub's rulesets
    ("push blocked", _H, _RULE),  # GitLab found secrets
    ("vs403654", _H, _RULE),  # Azure DevOps did
    ("missing change-id", _H, _RULE),  # Gerrit
    # Branches.
    ("gh006", _P, _PROTECTED),
    ("gh013", _P, _PROTECTED),
    ("gh003", _P, _PROTECTED),
    ("push declined due to repository rule violations", _P, _PROTECTED),
    ("protected branch", _P, _PROTECTED),
    ("is protected from", _P, _PROTECTED),  # Gitea, Forgejo
    ("permission denied to update branch", _P, _PROTECTED),  # Bitbucket Cloud
    ("permission denied to create branch", _P, _PROTECTED),
    ("check your branch permissions", _P, _PROTECTED),  # Bitbucket Data Center
    ("does not permit write", _A, _READ_ONLY),  # Gerrit, this and the next
    ("prohibited by gerrit", _P, _PROTECTED),
    ("can only be modified through pull requests", _P, _PROTECTED),  # Bitbucket Data Center
    ("branch restrictions", _P, _PROTECTED),
    ("tf402455", _P, _PROTECTED),
    # What looks like a race, and is none.
    (("cannot lock ref", "permission denied"), _A, _FILES),
    ((".lock'", "permission denied"), _A, _FILES),
    ("exists; cannot create", _O, _IN_THE_WAY),
    ("refname conflict", _O, _IN_THE_WAY),
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
    ("reference does not exist", _R, _RACE),
    ("not our ref", _R, _RACE),  # the branch moved between two questions of one fetch
    ("shallow file has changed", _R, _RACE),
    ("another git process seems to be running", _R, _RACE),
    # Who they are.
    ("certificate has expired", _A, "the server's certificate has expired; renew it there"),
    ("certificate is not yet valid", _A, "the server's certificate is not valid yet; compare the clocks"),
    ("host key verification failed", _A, _HOST_KEY),
    ("certificate verification failed", _A, _CERTIFICATE),
    ("ssl certificate problem", _A, _CERTIFICATE),
    ("no alternative certificate subject name matches", _A, _CERTIFICATE),
    ("does not match target host name", _A, _CERTIFICATE),
    ("error setting certificate", _A, "the file of --git-ca-file holds no certificate that can be read"),
    ("407 from proxy", _A, _PROXY),
    ("response 407", _A, _PROXY),
    # Who we are.
    ("unprotected private key file", _A, "others may read the private key of --ssh-key-file; make it 0600"),
    ("load key", _A, _KEY),
    (("identity file", "not accessible"), _A, _KEY),
    ("bad owner or permissions on", _A, "ssh refuses its configuration, which others may write; make it 0600"),
    ("rsa key with sha-1", _A, "the server takes no such key any more; make an ed25519 one"),  # GitHub
    ("permission denied (", _A, _CREDENTIALS),  # ssh: which ways it tried
    ("permission denied, please try again", _A, _CREDENTIALS),
    ("ssh key has expired", _A, _CREDENTIALS),  # GitLab
    ("too many authentication failures", _A, _CREDENTIALS),
    ("authentication failed", _A, _CREDENTIALS),
    ("http basic: access denied", _A, _CREDENTIALS),
    ("invalid username or", _A, _CREDENTIALS),
    ("invalid credentials", _A, _CREDENTIALS),  # Bitbucket
    ("required privilege scopes", _A, f"{_WRITE}: the token lacks the scope; give it one that may write"),
    ("tf400813", _A, _CREDENTIALS),  # Azure DevOps
    ("returned error: 401", _A, _CREDENTIALS),
    ("your account has been", _A, _ACCOUNT),  # GitLab: blocked, deactivated
    ("your account is", _A, _ACCOUNT),  # GitHub: suspended; GitLab: pending approval
    ("your password expired", _A, _ACCOUNT),
    ("email address is not confirmed", _A, _ACCOUNT),
    ("ip allow list", _A, "the server lets in known addresses alone; add this machine's to its list"),
    ("saml sso", _A, "the token is not authorised for the organisation's single sign-on; authorise it there"),
    ("could not read username", _A, _NONE),
    ("could not read password", _A, _NONE),
    ("marked as read only", _A, f"{_WRITE}: the deploy key is read-only"),
    ("was archived", _A, _READ_ONLY),
    ("archived project", _A, _READ_ONLY),  # GitLab
    (("repo: ", "is archived"), _A, _READ_ONLY),  # Gitea, Forgejo
    (("mirror repository", "is read-only"), _A, "it is a mirror; push to what it mirrors"),
    ("in read only mode", _A, _READ_ONLY),  # Bitbucket, this and the next
    ("restricted to read-only", _A, _READ_ONLY),
    ("temporarily read-only", _N, _BUSY),  # GitLab, this and the next two
    ("maintenance mode", _N, _BUSY),
    ("read-only gitlab instance", _N, _BUSY),
    ("not allowed to push", _A, _WRITE),
    ("not allowed to upload", _A, _WRITE),
    ("user permission denied", _A, _WRITE),
    ("write access to repository not granted", _A, _WRITE),
    ("does not have write access", _A, _WRITE),  # GitLab
    ("not authorized to write to", _A, _WRITE),  # Gitea, Forgejo
    ("not authorized to read", _A, _SEEN),
    ("not accessible by integration", _A, _WRITE),  # GitHub
    ("refusing to allow", _A, _WRITE),
    ("over http is not allowed", _A, "the server takes nothing by https; use an ssh address"),  # GitLab
    (("r any ", "denied by fallthru"), _A, _SEEN),  # gitolite
    ("denied by fallthru", _A, _WRITE),
    ("tf401027", _A, _WRITE),
    ("could not be found or you don't have permission", _A, _SEEN),
    ("permission to", _A, _WRITE),
    ("returned error: 403", _A, _WRITE),
    ("insufficient permission", _A, "no permission to write into the repository"),
    ("permission denied", _A, _WRITE),
    ("repository access denied", _A, _SEEN),
    ("tf401019", _A, _SEEN),
    ("tf200016", _A, _SEEN),
    ("access denied or repository not exported", _A, _SEEN),
    ("repository does not exist", _A, _SEEN),  # Bitbucket
    ("repository for this project does not exist", _A, _SEEN),  # GitLab
    ("cannot find repository", _A, _SEEN),  # Gitea, Forgejo
    ("service not enabled", _A, "the server does not offer that; turn it on there"),
    ("not allowed to download", _A, _SEEN),  # GitLab
    ("repository not found", _A, _SEEN),
    ("returned error: 404", _A, _SEEN),
    (("repository '", "' not found"), _A, _SEEN),
    ("you may not have access to this repository", _A, _SEEN),
    ("does not appear to be a git repository", _A, _SEEN),
    ("returned error: 410", _A, _SEEN),
    ("dubious ownership", _A, "the repository there is another user's than the one who serves it; give it to that one"),
    # The way there.
    ("could not resolve host", _N, f"the host is not known; check --repo and DNS; {_UNREACHED}"),
    ("could not resolve proxy", _N, "the proxy's host is not known; check https_proxy or git's http.proxy"),
    ("returned error: 408", _N, _BUSY),
    ("returned error: 429", _N, _BUSY),
    ("too many requests", _N, _BUSY),
    ("returned error: 5", _N, _BUSY),
    ("rate limit", _N, _BUSY),
    ("internal server error", _N, _BUSY),
    ("internal api", _N, _BUSY),  # GitLab, this and the next
    ("push operation timed out", _N, _BUSY),
    ("error in commit_refs", _N, _BUSY),  # GitHub
    ("under heavy load", _N, _BUSY),  # Bitbucket
    (("remote:", "out of memory"), _N, _BUSY),
    ("returned error: 30", _O, _MOVED),
    ("unable to update url base from redirection", _O, _MOVED),
    ("returned error: 413", _O, "the server takes no request that large; raise the limit of its proxy"),
    ("connection refused", _N, _UNREACHED),
    ("couldn't connect to server", _N, _UNREACHED),
    ("could not connect to server", _N, _UNREACHED),
    ("connection timed out", _N, _UNREACHED),
    ("operation timed out", _N, _UNREACHED),
    ("network is unreachable", _N, _UNREACHED),
    ("no route to host", _N, _UNREACHED),
    ("failed to connect to", _N, _UNREACHED),
    ("resolving timed out", _N, _UNREACHED),
    ("timeout was reached", _N, _UNREACHED),
    ("ssl connection timeout", _N, _UNREACHED),
    ("operation too slow", _N, _UNREACHED),
    ("not responding", _N, _UNREACHED),  # ssh
    ("host is down", _N, _UNREACHED),
    ("host is unreachable", _N, _UNREACHED),
    ("did not finish within", _N, _UNREACHED),  # our own limit
    ("from proxy after connect", _N, "the proxy does not let us through; check its rules and NO_PROXY"),
    ("connect tunnel failed", _N, "the proxy does not let us through; check its rules and NO_PROXY"),
    ("proxy connect aborted", _N, "the proxy does not let us through; check its rules and NO_PROXY"),
    ("wrong version number", _N, f"what answers there speaks no TLS; check the port and the proxy; {_CUT}"),
    ("gnutls_handshake", _N, _CUT),
    ("unknown ssl protocol error", _N, _CUT),
    ("tls connect error", _N, _CUT),
    ("ssl_connect", _N, _CUT),
    ("ssl_read", _N, _CUT),
    ("connection reset", _N, _CUT),
    ("broken pipe", _N, _CUT),
    ("connection closed by", _N, _CUT),
    (("http/2 stream", "was not closed cleanly"), _N, _CUT),
    ("http2 framing layer", _N, _CUT),
    ("failed sending data", _N, _CUT),
    ("failure when receiving data", _N, _CUT),
    ("empty reply from server", _N, _CUT),
    ("rpc failed", _N, _CUT),
    ("hung up unexpectedly", _N, _CUT),
    ("hung up upon initial contact", _N, _CUT),
    ("bytes of body are still expected", _N, _CUT),
    ("expected flush after ref listing", _N, _CUT),
    ("unexpected disconnect", _N, _CUT),
    ("early eof", _N, _CUT),
    ("transfer closed with", _N, _CUT),
    ("gnutls recv error", _N, _CUT),
    ("invalid index-pack output", _N, _CUT),
    ("did not send all necessary objects", _N, _DAMAGED),
    ("missing necessary objects", _N, _DAMAGED),
    ("repository corruption", _N, _DAMAGED),
    (("remote:", "is corrupt"), _N, _DAMAGED),
    ("remote unpack failed", _N, _BUSY),
    ("failed to report status", _N, _CUT),
    # What answers there is something else.
    ("info/refs not valid", _O, _NO_GIT),
    ("invalid server response", _O, _NO_GIT),
    ("bad line length", _O, _NO_GIT),
    ("received http/0.9", _O, _NO_GIT),
    (
        "pack: command not found",
        _O,
        "git is not installed at the other end, or not on the PATH of that account; see to it",
    ),
    ("unable to negotiate with", _O, "ssh and the server have no method in common; update the older one"),
    # The rest: a hook speaks for itself, and git's own refusals are about how the remote is set up.
    ("branch is currently checked out", _O, "the branch is checked out there; use a bare repository as remote"),
    ("shallow update not allowed", _O, "the clone is shallow, which the remote refuses; run git fetch --unshallow"),
    ("deny updating a hidden ref", _P, _PROTECTED),
    ("updating the current branch", _O, "the branch is checked out there; use a bare repository as remote"),
    ("gitlab:", _H, _RULE),
    ("error: gh0", _H, _RULE),
    ("hook declined", _H, f"a hook of the remote declined it; {_ALLOW}"),
)
