"""Every message with which a remote refuses is classified: as git, ssh, curl and the forges word them."""

from __future__ import annotations

import pytest

from reconciler.errors import Cause, RepositoryError, TipMoved
from reconciler.repository.commit import explained, refusal
from reconciler.repository.git import Result
from reconciler.repository.messages import TABLE
from reconciler.repository.rejections import classify
from tests.repository.forges import FORGES, HOOK, REMOTE

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
    (" ! [remote rejected] main -> main (reference does not exist)", Cause.RACE),
    ("fatal: remote error: upload-pack: not our ref 0123456789abcdef0123456789abcdef01234567", Cause.RACE),
    ("fatal: shallow file has changed since we read it", Cause.RACE),
    # what a lock says that nobody holds
    ("remote: error: cannot lock ref 'refs/heads/main': Unable to create '/srv/x.git/refs/heads/main.lock': Permission"
     " denied\n ! [remote rejected] main -> main (failed to update ref)", Cause.PERMISSION),
    ("error: cannot lock ref 'refs/remotes/origin/main': unable to create directory for /x/main: Permission denied",
     Cause.PERMISSION),
    ("fatal: Unable to create '/x/shallow.lock': Permission denied", Cause.PERMISSION),
    ("remote: error: cannot lock ref 'refs/heads/main': Unable to create '/srv/x.git/refs/heads/main.lock': Read-only"
     " file system\n ! [remote rejected] main -> main (failed to update ref)", Cause.DISK),
    ("error: cannot lock ref 'refs/heads/records/x': 'refs/heads/records' exists; cannot create 'refs/heads/records/x'",
     Cause.OTHER),
    (" ! [remote rejected] main -> main (refname conflict)", Cause.OTHER),
    (" ! [remote rejected] main -> main (hook declined)", Cause.HOOK),
    (HOOK, Cause.HOOK),
    (" ! [remote rejected] main -> main (deny updating a hidden ref)", Cause.PROTECTED),
    (" ! [remote rejected] main -> main (branch is currently checked out)", Cause.OTHER),
    ("remote: error: By default, updating the current branch in a non-bare repository is denied", Cause.OTHER),
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
    ("fatal: remote error: access denied or repository not exported: /x.git", Cause.PERMISSION),
    ("fatal: remote error: service not enabled: /x.git", Cause.PERMISSION),
    ("fatal: detected dubious ownership in repository at '/srv/x.git'\n" + REMOTE, Cause.PERMISSION),
    ("error: https://h/x.git did not send all necessary objects", Cause.NETWORK),
    (" ! [remote rejected] main -> main (missing necessary objects)", Cause.NETWORK),
    ("remote: aborting due to possible repository corruption on the remote side.", Cause.NETWORK),
    ("remote: fatal: loose object 0123 (stored in ./objects/01/23) is corrupt", Cause.NETWORK),
    ("remote: fatal: Out of memory, malloc failed (tried to allocate 1 bytes)", Cause.NETWORK),
    ("error: remote unpack failed: index-pack abnormal exit\n ! [remote rejected] main -> main (unpacker error)",
     Cause.NETWORK),
    (" ! [remote failure]   main -> main (remote failed to report status)", Cause.NETWORK),
    ("fatal: the remote end hung up upon initial contact", Cause.NETWORK),
    ("fetch-pack: invalid index-pack output", Cause.NETWORK),
    ("error: 5432 bytes of body are still expected", Cause.NETWORK),
    ("fatal: expected flush after ref listing", Cause.NETWORK),
    ("fatal: https://h/x/info/refs not valid: is this a git repository?", Cause.OTHER),
    ("fatal: invalid server response; got '<html>'", Cause.OTHER),
    ("fatal: protocol error: bad line length character: <htm", Cause.OTHER),
    ("sh: git-receive-pack: command not found\n" + REMOTE, Cause.OTHER),
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
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 410", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 408", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 301", Cause.OTHER),
    ("fatal: unable to update url base from redirection:\n  asked for: https://h/x/info/refs", Cause.OTHER),
    ("error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413", Cause.OTHER),
    ("fatal: unable to access 'https://h/x/': Failed to connect to h port 443 after 5 ms: Host is gone", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Resolving timed out after 5000 milliseconds", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Timeout was reached", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': SSL connection timeout", Cause.NETWORK),
    ("error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec transferred the last 30 seconds",
     Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Proxy CONNECT aborted", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': error:0A00010B:SSL routines::wrong version number", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Unknown SSL protocol error in connection to h:443", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': HTTP/2 stream 1 was not closed cleanly: PROTOCOL_ERROR (err 1)",
     Cause.NETWORK),
    ("error: RPC failed; curl 92 HTTP/2 stream 5 was not closed cleanly: CANCEL (err 8)", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Error in the HTTP2 framing layer", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Failed sending data to the peer", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Failure when receiving data from the peer", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Received HTTP/0.9 when not allowed", Cause.OTHER),
    ("fatal: unable to access 'https://h/x/': SSL certificate problem: certificate has expired", Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': SSL certificate problem: certificate is not yet valid",
     Cause.PERMISSION),
    ("fatal: unable to access 'https://h/x/': SSL: certificate subject name (i) does not match target host name 'h'",
     Cause.PERMISSION),
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
    ('Load key "/k": error in libcrypto\r\ngit@h: Permission denied (publickey).\r\n' + REMOTE, Cause.PERMISSION),
    ("Warning: Identity file /k not accessible: No such file or directory.\n" + REMOTE, Cause.PERMISSION),
    ("Bad owner or permissions on /home/r/.ssh/config\n" + REMOTE, Cause.PERMISSION),
    ("Permission denied, please try again.\r\n" + REMOTE, Cause.PERMISSION),
    ("Unable to negotiate with ::1 port 22: no matching host key type found. Their offer: ssh-rsa\n" + REMOTE,
     Cause.OTHER),
    ("Timeout, server h not responding.\r\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: Host is down\n" + REMOTE, Cause.NETWORK),
    ("ssh: connect to host h port 22: Host is unreachable\n" + REMOTE, Cause.NETWORK),
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
    *FORGES,
    # lines that come alone with some versions
    (" ! [remote rejected] main -> main (push declined due to repository rule violations)", Cause.PROTECTED),
    ("fatal: unable to access 'https://h/x/': TLS connect error: error:00000000:lib(0)::reason(0)", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': Could not connect to server", Cause.NETWORK),
    ("fatal: unable to access 'https://h/x/': transfer closed with 10 bytes remaining to read", Cause.NETWORK),
    ("remote: API rate limit exceeded for installation", Cause.NETWORK),
    ("remote: Too Many Requests", Cause.NETWORK),
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
    rows = {(words, signs) for signs, _, words in TABLE}
    for text, _ in MESSAGES:
        lines = [line.lower() for line in text.splitlines()]
        for signs, _, words in TABLE:
            wanted = (signs,) if isinstance(signs, str) else signs
            if any(all(sign in line for sign in wanted) for line in lines):
                rows.discard((words, signs))
                break
    assert not rows


def test_what_to_do_is_told_for_all_but_races() -> None:
    doing = ("; ", "use ", "allow ", "make ", "--", "remote's", "full", "used up", "read-only", "no permission")
    for _, cause, words in TABLE:
        assert cause is Cause.RACE or any(word in words for word in doing), words


def test_nothing_is_promised_that_only_the_daemon_does() -> None:
    assert not [words for _, _, words in TABLE if "again" in words and "tried" in words]


def test_refusal_tells_words_reason_and_the_remotes_line() -> None:
    out = b"To x\n!\tHEAD:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n"
    err = "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
    cause, why = refusal(Result(1, out, err))
    assert cause is Cause.PROTECTED
    assert why.startswith("the branch is protected; allow the reconciler's account")
    assert "[remote rejected] (pre-receive hook declined) (GitLab: You are not" in why


def test_a_hooks_own_word_is_told_before_what_git_says_of_it() -> None:
    out = b"To x\n!\tHEAD:refs/heads/main\t[remote rejected] (hook declined)\nDone\n"
    err = "remote: Policy 7: ask Ada\nremote: error: hook declined to update refs/heads/main\n"
    cause, why = refusal(Result(1, out, err))
    assert cause is Cause.HOOK
    assert why.endswith("[remote rejected] (hook declined) (Policy 7: ask Ada)")


@pytest.mark.parametrize("took", ["Failed to connect to h port 443 after {} ms: Couldn't connect to server",
                                  "Connection timed out after {} milliseconds"])  # fmt: skip
def test_how_long_a_try_took_is_not_told(took: str) -> None:
    """One trouble is one line in the log, however often it is tried."""
    told = {explained(f"fatal: unable to access 'https://h/x.git/': {took.format(ms)}") for ms in (0, 7, 130_411)}
    assert len(told) == 1


def test_what_a_remote_says_can_be_shown_and_is_bounded() -> None:
    cause, why = explained("remote: \x1b[31m Permission denied (publickey) " + "x" * 1000)
    assert cause is Cause.PERMISSION
    assert why.isprintable()
    assert len(why) == 300


def test_errors_have_a_cause() -> None:
    assert RepositoryError("x").cause is Cause.OTHER
    assert TipMoved("x").cause is Cause.RACE
