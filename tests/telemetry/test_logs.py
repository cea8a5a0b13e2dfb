"""Logs as they come out on stderr."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.telemetry import logs
from reconciler.telemetry.masking import escaped, is_secret_name, mask


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    yield
    logs.configure(stream=io.StringIO())
    logging.captureWarnings(False)


def configured(format: Any = "json", level: str = "info", stream: io.StringIO | None = None) -> io.StringIO:
    stream = stream or io.StringIO()
    logs.configure(format, level, stream)
    return stream


def only_record(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    record: dict[str, Any] = json.loads(line)
    return record


def test_json() -> None:
    log = logs.logger("daemon")  # before `configure`, as modules do
    stream = configured()
    log.info("pass ended", seconds=0.5, commit=None, clusters=("m1", "m2"), ok=True)
    record = only_record(stream)
    assert list(record)[:4] == ["time", "level", "logger", "event"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", record.pop("time"))
    assert record == {
        "event": "pass ended",
        "level": "info",
        "logger": "reconciler.daemon",
        "seconds": 0.5,
        "commit": None,
        "clusters": ["m1", "m2"],
        "ok": True,
    }


def test_text_is_one_line_without_colours() -> None:
    stream = configured("text")
    logs.logger("daemon").warning("pass failed", why="no route", seconds=2)
    (line,) = stream.getvalue().splitlines()
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[warning\] pass failed", line)
    assert "why='no route'" in line
    assert "seconds=2" in line
    assert "\x1b" not in line


def test_colours_are_for_terminals() -> None:
    stream = configured("text", stream=Terminal())
    logs.logger("daemon").info("pass ended")
    assert "\x1b[" in stream.getvalue()


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_levels(level: str, shown: int) -> None:
    stream = configured(level=level)
    log = logs.logger("x")
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert len(stream.getvalue().splitlines()) == shown


def test_configured_twice_writes_once() -> None:
    first, second = configured(), configured()
    logs.logger("x").info("here")
    assert first.getvalue() == ""
    assert only_record(second)["event"] == "here"


@pytest.mark.parametrize("format", ["text", "json"])
def test_nobody_forges_a_line_or_moves_the_cursor(format: str) -> None:
    stream = configured(format)
    bad = 'x\n2026-01-01T00:00:00Z [info] all is well\r\x1b[2K\x9b2J\u2028\u202e"'
    logs.logger("x").warning("message", told=bad, nested={"a\nb": [bad]}, **{"k\ney": 1})
    logging.getLogger("aiohttp").warning("%s", bad)
    assert len(stream.getvalue().splitlines()) == 2
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", stream.getvalue())


@pytest.mark.parametrize("format", ["text", "json"])
def test_seeded_secrets_appear_nowhere(format: str) -> None:
    stream = configured(format, "debug")
    secret = "hunter2-hunter2"
    url = f"https://me:{secret}@git.example.org/x.git"
    log = logs.logger("x")
    log.info(
        f"fetch of {url}", url=url, password=secret, nested={"token": secret, "list": [url]}, error=ValueError(url)
    )
    log.info("headers", authorization=f"Bearer {secret}", said=f"Authorization: Bearer {secret}")
    log.info("body", body=f'{{"client_secret": "{secret}"}}', query=f"a=1&access_token={secret}&b=2")
    try:
        raise ValueError(url)
    except ValueError:
        log.exception("failed")
        logging.getLogger("asyncio").exception("failed %s", url)
    assert len(stream.getvalue().splitlines()) == 5
    assert secret not in stream.getvalue()
    assert "git.example.org" in stream.getvalue()


def test_a_traceback_is_one_line() -> None:
    stream = configured()
    try:
        raise RuntimeError("no\nway")
    except RuntimeError:
        logs.logger("x").exception("a mistake of the program")
    assert "RuntimeError: no\nway" in only_record(stream)["traceback"]


def test_libraries_speak_in_the_same_shape_from_warning_on() -> None:
    stream = configured(level="debug")
    logging.getLogger("aiohttp.server").info("hidden")
    logging.getLogger("asyncio").warning("took %.1f s", 0.2)
    record = only_record(stream)
    assert (record["event"], record["level"], record["logger"]) == ("took 0.2 s", "warning", "asyncio")
    assert record["time"].endswith("Z")


def test_those_that_write_urls_with_tokens_are_silent() -> None:
    stream = configured()
    logging.getLogger("apprise").error("Failed to send to slack://token")
    logging.getLogger("urllib3.connectionpool").warning("Retrying after: /services/T/B/token")
    assert stream.getvalue() == ""


def test_warnings_of_python_take_the_same_way() -> None:
    stream = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old\nway", UserWarning, stacklevel=1)
    assert only_record(stream)["logger"] == "py.warnings"
    logging.captureWarnings(False)


def test_it_goes_to_stderr() -> None:
    code = "from reconciler.telemetry import logs; logs.configure('json'); logs.logger('x').info('here')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == ""
    assert json.loads(done.stderr)["event"] == "here"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@h/x and ssh://git@h/y", "https://***@h/x and ssh://git@h/y"),
        ("ssh://git:pw@h/y", "ssh://***@h/y"),
        ("mailtos://me:pw@gmail.com", "mailtos://***@gmail.com"),
        ("Bearer abcdef.ghi", "Bearer ***"),
        ("password=abc, next", "password=***, next"),
        ("API_KEY: 'a b' x", "API_KEY: *** x"),
        ('"token":"abc"', '"token":***'),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "***"),
        ("the token is not valid", "the token is not valid"),
        ("secret default/kurator-member1 not found", "secret default/kurator-member1 not found"),
        ("Ada <ada@example.org>", "Ada <ada@example.org>"),
    ],
)
def test_what_is_masked(text: str, expected: str) -> None:
    assert mask(text) == expected


def test_masking_takes_no_time_for_what_is_long() -> None:
    started = time.monotonic()
    for text in ("-" * 200_000, "a" * 200_000, "token" * 40_000, "https://" * 20_000, "x=" * 100_000):
        mask(text)
    assert time.monotonic() - started < 5


def test_names_of_secrets_and_escapes() -> None:
    assert all(is_secret_name(name) for name in ("password", "GITLAB_TOKEN", "api-key", "Authorization"))
    assert not any(is_secret_name(name) for name in ("cluster", "secret_name", "tokens_left", "why"))
    assert escaped("a\tb\ud800é\x07") == "a\\tb\\ud800é\\x07"
