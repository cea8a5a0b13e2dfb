"""Notifications to a real HTTP server: one that works, one that is dead, one that hangs; and what a file may name."""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import SettingsError
from reconciler.plan.news import News
from reconciler.telemetry import logs
from reconciler.telemetry.metrics import Metrics
from reconciler.telemetry.notifier import Notifier
from tests.plan import builders as b
from tests.telemetry.receivers import Receiver, receiver
from tests.telemetry.test_metrics import value

FAST = (0.05, 0.05)


def news(title: str = "restore default/minimal: Completed on 2 of 2 clusters", body: str = "all is well") -> News:
    return News("ended", b.RESTORE, title, body, "success")


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("json", stream=stream)
    yield stream
    logs.configure(stream=io.StringIO())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


Make = Callable[..., Notifier]


@pytest.fixture
def notifier(tmp_path: Path, metrics: Metrics) -> Iterator[Make]:
    made = []

    def make(*lines: str, send_seconds: float = 5.0, waiting: int = 100, pauses: tuple[float, ...] = FAST) -> Notifier:
        (tmp_path / "urls").write_text("\n".join(lines))
        made.append(Notifier(tmp_path / "urls", metrics, pauses, send_seconds, waiting))
        return made[-1]

    yield make
    for each in made:
        each.close(0.1)


def sent(metrics: Metrics, result: str) -> float:
    return value(metrics, "reconciler_notifications_total", result=result)


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not come about in time"
        time.sleep(0.02)


def dead() -> str:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"json://127.0.0.1:{one.getsockname()[1]}/hidden-token-4711"


def test_a_receiver_gets_title_and_body(notifier: Make, there: Receiver, metrics: Metrics) -> None:
    made = notifier("# our channel", "", f"  {there.url}  ")
    made.announce(news())
    made.announce(news("second", "a < b & c"))
    made.close(10)
    assert [(got["title"], got["message"], got["type"]) for got in there.got] == [
        ("restore default/minimal: Completed on 2 of 2 clusters", "all is well", "success"),
        ("second", "a < b & c", "success"),
    ]
    assert (sent(metrics, "success"), sent(metrics, "failure")) == (2, 0)


def test_the_caller_waits_for_nobody_and_the_others_get_theirs(notifier: Make, there: Receiver) -> None:
    with receiver() as hanging:
        hanging.hangs = True
        made = notifier(dead(), hanging.url, there.url, send_seconds=6)
        started = time.monotonic()
        for number in range(20):
            made.announce(news(f"message {number}"))
        assert time.monotonic() - started < 5
        until(lambda: len(there.got) == 20, 8)
        assert [got["title"] for got in there.got] == [f"message {number}" for number in range(20)]
        started = time.monotonic()
        made.close(0.5)
        assert time.monotonic() - started < 5


def test_a_dead_receiver_is_tried_again_then_dropped_with_a_word(
    notifier: Make, metrics: Metrics, log: io.StringIO
) -> None:
    made = notifier(dead())
    made.announce(news())
    until(lambda: sent(metrics, "failure") == 1)
    made.close(5)
    assert '"event": "notification dropped"' in log.getvalue()
    assert '"tries": 3' in log.getvalue()
    assert "hidden-token-4711" not in log.getvalue()


def test_a_receiver_that_refuses_says_why_without_its_url(
    notifier: Make, there: Receiver, metrics: Metrics, log: io.StringIO
) -> None:
    there.status = 503
    made = notifier(there.url)
    made.announce(news())
    until(lambda: sent(metrics, "failure") == 1)
    assert there.asked == 3
    assert "503" in log.getvalue()
    assert '"receiver": "json in line 1"' in log.getvalue()
    assert "hidden-token" not in log.getvalue()
    assert str(there.port) not in log.getvalue()
    made.close(5)


def test_one_that_comes_back_gets_its_message(notifier: Make, there: Receiver, metrics: Metrics) -> None:
    there.status = 500
    made = notifier(there.url, pauses=(0.1,) * 20)
    made.announce(news())
    until(lambda: there.asked >= 2)
    there.status = 200
    until(lambda: sent(metrics, "success") == 1)
    assert len(there.got) == 1
    assert sent(metrics, "failure") == 0
    made.close(5)


def test_one_that_hangs_has_its_time_and_is_not_asked_beside_that(
    notifier: Make, there: Receiver, metrics: Metrics, log: io.StringIO
) -> None:
    there.hangs = True
    made = notifier(there.url, send_seconds=0.2)
    made.announce(news())
    until(lambda: sent(metrics, "failure") == 1)
    assert there.asked == 1
    assert "an earlier message hangs" in log.getvalue()
    made.close(0.1)


def test_the_queue_is_bounded(notifier: Make, there: Receiver, metrics: Metrics, log: io.StringIO) -> None:
    there.hangs = True
    made = notifier(there.url, waiting=3, send_seconds=30)
    made.announce(news())
    until(lambda: there.asked == 1)
    for _ in range(10):
        made.announce(news())
    assert sent(metrics, "failure") >= 7
    assert "3 others wait already" in log.getvalue()
    made.close(0.1)


def test_what_is_left_at_the_end_is_told(notifier: Make, there: Receiver, metrics: Metrics, log: io.StringIO) -> None:
    there.hangs = True
    made = notifier(there.url, send_seconds=30)
    made.announce(news("one"))
    made.announce(news("two"))
    until(lambda: there.asked == 1)
    made.close(0.2)
    assert '"title": "two", "why": "the process ends"' in log.getvalue()


def test_a_process_ends_although_a_receiver_hangs(tmp_path: Path, there: Receiver) -> None:
    there.hangs = True
    (tmp_path / "urls").write_text(there.url)
    code = (
        "import sys; from pathlib import Path\n"
        "from reconciler.plan.news import News; from reconciler.telemetry.metrics import Metrics\n"
        "from reconciler.telemetry.notifier import Notifier\n"
        "made = Notifier(Path(sys.argv[1]), Metrics()); made.announce(News('ended', None, 't', 'b', 'success'))\n"
        "sys.stdin.readline(); made.close(0.2); print('closed', flush=True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "urls")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        until(lambda: there.asked == 1, 30)
        out, err = process.communicate("end\n", timeout=30)
    assert (process.returncode, out) == (0, "closed\n")
    assert "hidden-token" not in err


def test_the_file_is_read_again(notifier: Make, there: Receiver, tmp_path: Path, log: io.StringIO) -> None:
    made = notifier("# nobody yet")
    made.announce(news("unheard"))
    (tmp_path / "fresh").write_text(there.url)
    os.replace(tmp_path / "fresh", tmp_path / "urls")
    made.announce(news("first"))
    (tmp_path / "urls").write_text("nonsense with hidden-token-4711\n")
    made.announce(news("second"))
    until(lambda: len(there.got) == 2)
    assert [got["title"] for got in there.got] == ["first", "second"]
    assert "the receivers of notifications stay as they were" in log.getvalue()
    assert "hidden-token" not in log.getvalue()
    (tmp_path / "urls").write_text("")
    made.announce(news("third"))
    made.close(5)
    assert len(there.got) == 2


def test_secrets_and_calls_of_whole_channels_do_not_leave(notifier: Make, there: Receiver) -> None:
    made = notifier(there.url)
    made.announce(news("@everyone <!channel>", "https://me:hunter2@git.example.org/x token=abcdef ada@example.org"))
    made.close(10)
    (got,) = there.got
    assert "@everyone" not in got["title"]
    assert "<!channel" not in got["title"]
    assert "hunter2" not in got["message"]
    assert "abcdef" not in got["message"]
    assert "ada@example.org" in got["message"]


def test_a_redirect_is_not_followed(notifier: Make, there: Receiver, metrics: Metrics) -> None:
    with receiver() as elsewhere:
        there.status, there.location = 307, f"http://127.0.0.1:{elsewhere.port}/"
        made = notifier(there.url)
        made.announce(news())
        until(lambda: sent(metrics, "failure") == 1)
        assert elsewhere.asked == 0
        made.close(5)


@pytest.mark.parametrize(
    "line",
    [
        "syslog://",
        "macosx://hidden-token",
        "DBUS://",
        "glib://",
        "gnome://",
        "windows://",
        "blink1://",
        "qt://",
        "kde://",
        "@urls",
        "include /etc/passwd",
        "file:///etc/passwd",
        "nonsense://hidden-token",
        "https://hidden-token.example.org/plain",
        "slack://hidden-token",
        "hidden-token",
        "- url: json://hidden-token",
    ],
)
def test_what_is_no_remote_receiver_is_refused_by_its_line(
    notifier: Make, line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SettingsError, match=r"--notify-file .*urls:2") as caught:
        notifier("# first", line)
    captured = capfd.readouterr()
    assert "hidden-token" not in str(caught.value) + captured.err + captured.out


def test_no_file_is_a_mistake_of_the_user(tmp_path: Path, metrics: Metrics) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Notifier(tmp_path / "none", metrics)
