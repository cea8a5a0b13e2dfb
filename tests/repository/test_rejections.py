"""Every message with which a remote refuses is classified: as git, ssh, curl and the forges word them."""

from __future__ import annotations

import pytest

from reconciler.errors import Cause, RepositoryError, TipMoved
from reconciler.repository.commit import explained, refusal
from reconciler.repository.git import Result
from reconciler.repository.rejections import _TABLE, classify

HOOK = " ! [remote rejected] main -> main (pre-receive hook declined)"
REMOTE = "fatal: Could not read from remote repository."

MESSAGES = [
    # git itself
    (" ! [rejected]        main -> main (non-fast-forward)", Cause.RACE),
    (" ! [rejected]        main -> main (fetch first)", Cause.RACE),
    (" ! [rejected]        main -> main (stale info)", Cause.RACE),
    (" ! [remote rejected] main -> main (cannot lock ref 'refs/heads/main': is at cf2cc0c1 but expected fdda486a)",
     Cause.RACE),
    (" ! [remote rejected] main -> main (failed to update ref)", Cause.RACE),
    (" ! [remote rejected] main -> main (incorrect old value provided)", Cause.RACE),
    (" ! [remote rejected] main -> main (failed to lock)", Cause.RACE),
    ("error: cannot lock ref 'refs/remotes/origin/main': Unable to create '/x/main.lock': File exists.", Cause.RACE),
    (" ! [rejected] main -> origin/main  (unable to update local ref)", Cause.RACE),
    (" ! [remote rejected] main -> main (reference already exists)", Cause.RACE),
    ("fatal: Unable to create 'shallow.lock': File exists.\nAnother git process seems to be running in this repository",
     Cause.RACE),
    (" ! [remote rejected] main -> main (hook declined)", Cause.HOOK),
    (HOOK, Cause.HOOK),
    (" ! [remote rejected] main -> main (deny updating a hidden ref)", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (branch is currently checked out)", Cause.OTHER),
    (" ! [remote rejected] main -> main (shallow update not allowed)", Cause.OTHER),
    ("remote: fatal: write error: No space left on device\nerror: remote unpack failed: unpack-objects abnormal exit",
     Cause.DISK),
    ("error: remote unpack failed: unable to create temporary object directory: No space left on device", Cause.DISK),
    ("remote: error: unable to write file ./objects/aa: Disk quota exceeded", Cause.DISK),
    ("remote: fatal: Unable to create '/srv/x.git/refs/heads/main.lock': Read-only file system", Cause.DISK),
    ("error: file write error: No space left on device\nfatal: unable to write loose object file", Cause.DISK),
    ("error: unable to create temporary file: Disk quota exceeded", Cause.DISK),
    ("fatal: sha1 file '/x/index.lock' write error. Out of diskspace", Cause.DISK),
    ("remote: fatal: sha1 file '<stdout>' write error. Out of diskspace", Cause.DISK),
    ("fatal: update_ref failed for ref 'refs/heads/main': cannot update ref 'refs/heads/main': couldn't write"
     " '/x/refs/heads/main.lock'", Cause.DISK),
    ("fatal: Unable to create '/x/index.lock': Read-only file system", Cause.DISK),
    ("remote: error: insufficient permission for adding an object to repository database ./objects", Cause.PERMISSION),
    ("remote: fatal: Unable to create temporary file '/srv/x.git/objects/pack': Permission denied", Cause.PERMISSION),
    ("fatal: '/srv/nothing.git' does not appear to be a git repository\n" + REMOTE, Cause.PERMISSION),
    ("fatal: could not read Username for 'https://h': terminal prompts disabled", Cause.PERMISSION),
    ("fatal: could not read Password for 'https://a@h': terminal prompts disabled", Cause.PERMISSION),
    ("fatal: Authentication failed for 'https://h/x.git/'", Cause.PERMISSION),
    ("fatal: repository 'https://h/x.git/' not found", Cause.PERMISSION),
    ("fatal: the remote end hung up unexpectedly", Cause.NETWORK),
    ("fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF", Cause.NETWORK),
    ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", Cause.NETWORK),
    ("error: RPC failed; HTTP 504 curl 22 The requested URL returned error: 504", Cause.NETWORK),
    ("git push did not finish within 60 s and was stopped", Cause.NETWORK),
    # curl under git
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 401", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 403", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 404", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 429", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 502", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Could not resolve host: h", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Could not resolve proxy: p", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Failed to connect to h port 443 after 3 ms: Couldn't connect to server",
     Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Couldn't connect to server", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Operation timed out after 300 milliseconds", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Empty reply from server", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': GnuTLS recv error (-110): The TLS connection was terminated.",
     Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': gnutls_handshake() failed: Error in the pull function.", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to h:443",
     Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': OpenSSL SSL_read: Connection was reset, errno 10054", Cause.NETWORK),
    ("error: RPC failed; curl 18 transfer closed with outstanding read data remaining", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Received HTTP code 407 from proxy after CONNECT", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': CONNECT tunnel failed, response 407", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': Received HTTP code 503 from proxy after CONNECT", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': CONNECT tunnel failed, response 502", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': server certificate verification failed. CAfile: none CRLfile: none",
     Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': SSL certificate problem: self-signed certificate", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': no alternative certificate subject name matches target host name 'h'",
     Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': error setting certificate verify locations: x", Cause.PERMISSION),
    # ssh under git
    ("git@h: Permission denied (publickey).\r\n" + REMOTE, Cause.PERMISSION),
    ("Received disconnect from ::1 port 22:2: Too many authentication failures\n" + REMOTE, Cause.PERMISSION),
    ("No ED25519 host key is known for h and you have requested strict checking.\nHost key verification failed.",
     Cause.PERMISSION),
    ("@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.", Cause.PERMISSION),
    ("@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\ngit@h: Permission denied (publickey).",
     Cause.PERMISSION),
    ("ssh: Could not resolve hostname h: Name or service not known\n" + REMOTE, Cause.NETWORK),
    ("ssh: Could not resolve hostname h: Temporary failure in name resolution\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: Connection refused\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: Connection timed out\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: No route to host\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: Network is unreachable\n" + REMOTE, Cause.NETWORK),
    ("kex_exchange_identification: read: Connection reset by peer\n" + REMOTE, Cause.NETWORK),
    ("Connection closed by 127.0.0.1 port 22\n" + REMOTE, Cause.NETWORK),
    ("client_loop: send disconnect: Broken pipe\n" + REMOTE, Cause.NETWORK),
    # GitHub
    ("remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
     " ! [remote rejected] main -> main (protected branch hook declined)", Cause.PROTECTED),
    ("remote: error: GH013: Repository rule violations found for refs/heads/main.\n"
     " ! [remote rejected] main -> main (push declined due to repository rule violations)", Cause.PROTECTED),
    ("remote: error: GH003: Sorry, force-pushing to main is not allowed.", Cause.PROTECTED),
    ("remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
     "remote: error: Commits must have verified signatures.", Cause.HOOK),
    ("remote: error: GH007: Your push would publish a private email address.", Cause.HOOK),
    ("remote: error: GH009: Secrets detected! This push failed.", Cause.HOOK),
    ("remote: error: GH001: Large files detected.", Cause.HOOK),
    ("remote: Permission to o/r.git denied to bot.\nfatal: unable to access 'https://github.com/o/r.git/':"
     " The requested URL returned error: 403", Cause.PERMISSION),
    ("ERROR: Permission to o/r.git denied to deploy key\n" + REMOTE, Cause.PERMISSION),
    ("ERROR: The key you are authenticating with has been marked as read only.\n" + REMOTE, Cause.PERMISSION),
    ("remote: Write access to repository not granted.", Cause.PERMISSION),
    ("remote: Repository not found.\nfatal: repository 'https://github.com/o/r.git/' not found", Cause.PERMISSION),
    ("remote: Invalid username or token. Password authentication is not supported for Git operations.",
     Cause.PERMISSION),
    ("remote: The `o' organization has enabled or enforced SAML SSO.", Cause.PERMISSION),
    ("remote: This repository was archived so it is read-only.", Cause.PERMISSION),
    ("remote: Internal Server Error\n ! [remote rejected] main -> main (Internal Server Error)", Cause.NETWORK),
    # GitLab
    ("remote: GitLab: You are not allowed to push code to protected branches on this project.\n" + HOOK,
     Cause.PROTECTED),
    ("remote: GitLab: You are not allowed to force push code to a protected branch on this project.\n" + HOOK,
     Cause.PROTECTED),
    ("remote: GitLab: You are not allowed to push code to this project.", Cause.PERMISSION),
    ("remote: You are not allowed to upload code.", Cause.PERMISSION),
    ("remote: HTTP Basic: Access denied. The provided password or token is incorrect", Cause.PERMISSION),
    ("remote: The project you were looking for could not be found or you don't have permission to view it.",
     Cause.PERMISSION),
    ("remote: GitLab: Committer's email 'r@localhost' does not follow the pattern '@example'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Author's email 'r@localhost' does not follow the pattern '@example'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: You cannot push commits for 'r@x'. It is not verified in your account.\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Commit message does not follow the pattern 'JIRA-'\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Author 'r' is not a member of team\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: Commit must be signed with a GPG key\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: the wind has changed\n" + HOOK, Cause.HOOK),
    ("remote: GitLab: You can't push code to a read-only GitLab instance.", Cause.NETWORK),
    ("remote: GitLab: Your push would cause the repository to exceed the allocated storage", Cause.DISK),
    # Gitea, Forgejo
    ("remote: Gitea: Not allowed to push to protected branch main\n" + HOOK, Cause.PROTECTED),
    ("remote: Gitea: branch main is protected from force push\n" + HOOK, Cause.PROTECTED),
    ("remote: Forgejo: Not allowed to push to protected branch main\n" + HOOK, Cause.PROTECTED),
    ("remote: Gitea: User permission denied for writing.\n" + HOOK, Cause.PERMISSION),
    ("remote: Forgejo: Quota exceeded\n" + HOOK, Cause.DISK),
    # Bitbucket
    ("remote: Permission denied to update branch main.\n" + HOOK, Cause.PROTECTED),
    ("remote: Branch refs/heads/main can only be modified through pull requests.\n" + HOOK, Cause.PROTECTED),
    ("remote: Your push was declined by branch restrictions.\n" + HOOK, Cause.PROTECTED),
    ("remote: You may not have access to this repository or it no longer exists in this workspace.", Cause.PERMISSION),
    ("repository access denied. access via a deployment key is read-only.\n" + REMOTE, Cause.PERMISSION),
    ("remote: Your repository is over its size limit.\n" + HOOK, Cause.DISK),
    # Azure DevOps
    (" ! [remote rejected] HEAD -> main (TF402455: Pushes to this branch are not permitted; you must use a pull request"
     " to update this branch.)", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (TF401028: The reference 'refs/heads/main' has already been updated by another"
     " client, so you cannot update it. Please try again.)", Cause.RACE),
    ("remote: TF401027: You need the Git 'GenericContribute' permission to perform this action.", Cause.PERMISSION),
    ("remote: TF401019: The Git repository with name or identifier x does not exist or you do not have permissions",
     Cause.PERMISSION),
    # lines that come alone with some versions
    (" ! [remote rejected] main -> main (push declined due to repository rule violations)", Cause.PROTECTED),
    ("fatal: unable to access 'https://h/x/': TLS connect error: error:00000000:lib(0)::reason(0)", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Could not connect to server", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': transfer closed with 10 bytes remaining to read", Cause.NETWORK),
    ("remote: API rate limit exceeded for installation", Cause.NETWORK),
    # nobody knows
    ("", Cause.OTHER),
    ("fatal: the moon is in the way", Cause.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cause"), MESSAGES, ids=lambda value: str(value).strip()[:60])
def test_message_has_its_cause(text: str, cause: Cause) -> None:
    found = classify(text)
    assert found.cause is cause
    assert found.line in [line.strip() for line in [*text.splitlines(), ""]]
    assert found.words or cause is Cause.OTHER


def test_every_cause_is_held_by_a_message() -> None:
    assert {cause for _, cause in MESSAGES} == {*Cause}


def test_every_row_decides_a_message() -> None:
    """A row that no message reaches is a guess, or stands behind one that takes its messages."""
    rows = {(words, signs) for signs, _, words in _TABLE}
    for text, _ in MESSAGES:
        lines = [line.lower() for line in text.splitlines()]
        for signs, _, words in _TABLE:
            wanted = (signs,) if isinstance(signs, str) else signs
            if any(all(sign in line for sign in wanted) for line in lines):
                rows.discard((words, signs))
                break
    assert not rows


def test_what_to_do_is_told_for_all_but_races() -> None:
    doing = ("; ", "use ", "allow ", "make ", "--", "remote's", "full", "used up", "read-only", "no permission")
    for _, cause, words in _TABLE:
        assert cause is Cause.RACE or any(word in words for word in doing), words


def test_nothing_is_promised_that_only_the_daemon_does() -> None:
    assert not [words for _, _, words in _TABLE if "again" in words and "tried" in words]


def test_refusal_tells_words_reason_and_the_remotes_line() -> None:
    out = b"To x\n!\tHEAD:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n"
    err = "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
    cause, why = refusal(Result(1, out, err))
    assert cause is Cause.PROTECTED
    assert why.startswith("the branch is protected; allow the reconciler's account")
    assert "[remote rejected] (pre-receive hook declined) (GitLab: You are not" in why


def test_what_a_remote_says_can_be_shown_and_is_bounded() -> None:
    cause, why = explained("remote: \x1b[31m Permission denied (publickey) " + "x" * 1000)
    assert cause is Cause.PERMISSION
    assert why.isprintable()
    assert len(why) == 300


def test_errors_have_a_cause() -> None:
    assert RepositoryError("x").cause is Cause.OTHER
    assert TipMoved("x").cause is Cause.RACE
