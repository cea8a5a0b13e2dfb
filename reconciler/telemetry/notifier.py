"""Notifications by URL: Slack, Teams, mail, webhooks and what else apprise knows. The only user of apprise.

The URLs are secrets: they come from a file, and neither they nor parts of them get into a log. Desktops and the
machine's own log are no receivers here, and neither a configuration nor plug-ins of the machine's user are read.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat, NotifyType

from reconciler.errors import SettingsError
from reconciler.plan.news import News
from reconciler.telemetry.logs import logger
from reconciler.telemetry.masking import mask
from reconciler.telemetry.metrics import Metrics
from reconciler.telemetry.outbox import PAUSES, SEND_SECONDS, WAITING, Outbox

# They start programs of this machine, speak to its desktop or hardware, or are none of a daemon's business.
_REFUSED: Final = frozenset(("dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "syslog", "blink1"))
_LARGEST_FILE: Final = 256 * 1024
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
# Words of a member's message that would call a whole channel.
_CALLS: Final = re.compile(r"(@(?=everyone\b|here\b|channel\b|all\b)|<(?=[!@#]))", re.IGNORECASE)
_TYPES: Final = {"success": NotifyType.SUCCESS, "warning": NotifyType.WARNING, "failure": NotifyType.FAILURE}
_log = logger("notifications")


class Notifier:
    """Tells every receiver in `urls_file`: a URL a line, `#` begins a comment; read again whenever the file changes.

    Raises SettingsError where it can't be read, or a line is no URL of a receiver. `pauses`, `send_seconds` and
    `waiting` are those of each receiver's Outbox.
    """

    def __init__(
        self,
        urls_file: Path,
        metrics: Metrics,
        pauses: Sequence[float] = PAUSES,
        send_seconds: float = SEND_SECONDS,
        waiting: int = WAITING,
    ) -> None:
        self._file = urls_file
        self._metrics = metrics
        self._limits = (pauses, send_seconds, waiting)
        self._asset = AppriseAsset(
            app_id="reconciler",
            app_desc="reconciler",
            app_url="",
            storage_mode="memory",
            allow_templates=False,
            service_timeout=0,  # an Outbox has its own, which leaves no pool of threads to wait for at the end
            http_redirects=False,
            secure_logging=True,
            interpret_escapes=False,
            pgp_autogen=False,
            pem_autogen=False,
        )
        self._read_at = _stamp(urls_file)
        self._outboxes: dict[str, Outbox] = {}
        self._given_up: list[Outbox] = []
        self._replace(_read(urls_file, self._asset))

    def announce(self, news: News) -> None:
        """To every receiver, in order; returns at once. Where the file is in error now, its receivers stay."""
        self._read_again()
        for outbox in self._outboxes.values():
            outbox.put(news)

    def close(self, timeout: float = 5.0) -> None:
        """Sends what waits, for so many seconds at most. Blocks."""
        until = monotonic() + timeout
        outboxes = [*self._outboxes.values(), *self._given_up]
        for outbox in outboxes:
            outbox.close()
        for outbox in outboxes:
            outbox.join(until)

    def _read_again(self) -> None:
        stamp = _stamp(self._file)
        if stamp == self._read_at:
            return
        self._read_at = stamp
        try:
            self._replace(_read(self._file, self._asset))
        except SettingsError as error:
            _log.error("the receivers of notifications stay as they were", why=str(error))

    def _replace(self, services: dict[str, tuple[str, NotifyBase]]) -> None:
        """Receivers that stay keep what waits for them; those that go get what was put before."""
        for url in self._outboxes.keys() - services.keys():
            self._outboxes[url].close()
            self._given_up = [*(each for each in self._given_up if not each.ended), self._outboxes[url]]
        pauses, send_seconds, waiting = self._limits
        self._outboxes = {
            url: self._outboxes.get(url)
            or Outbox(name, _sender(service, url), self._metrics.notification, pauses, send_seconds, waiting)
            for url, (name, service) in services.items()
        }


def _sender(service: NotifyBase, url: str) -> Callable[[News], str]:
    return partial(_send, service, url)


def _send(service: NotifyBase, url: str, news: News) -> str:
    """Why it was not delivered, in the receiver's words without its URL."""
    with _Heard() as heard:
        delivered = service.notify(
            title=_harmless(news.title),
            body=_harmless(news.body),
            notify_type=_TYPES[news.severity],
            body_format=NotifyFormat.TEXT,
        )
    return "" if delivered else _without(url, heard.words or "the receiver did not take it")


def _harmless(text: str) -> str:
    return _CALLS.sub("\\1\u200b", mask(text))


def _without(url: str, words: str) -> str:
    """The words without any part of the URL that could be a secret."""
    for part in sorted(
        {part for part in re.split(r"[^A-Za-z0-9_.~%-]+", url.partition("://")[2]) if len(part) > 3},
        key=len,
        reverse=True,
    ):
        words = re.sub(re.escape(part), "***", words, flags=re.IGNORECASE)
    return mask(words)


class _Heard(logging.Handler):
    """What apprise logs in this thread while it sends: its only way to say why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self.words = ""

    def __enter__(self) -> _Heard:
        apprise_log = logging.getLogger("apprise")
        apprise_log.propagate = False
        apprise_log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.words = record.getMessage()


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes with the file, also where a mounted Secret is swapped by its symlink."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path, asset: AppriseAsset) -> dict[str, tuple[str, NotifyBase]]:
    """By URL: a name for logs, as `slack in line 3`, and what sends. Raises SettingsError, which names the line."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_FILE + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text in UTF-8"
        raise SettingsError(f"--notify-file {path}: {why}") from error
    if len(text) > _LARGEST_FILE:
        raise SettingsError(f"--notify-file {path} is larger than 256 KiB")
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        url = line.strip()
        if url and not url.startswith("#"):
            found[url] = _service(f"{path}:{number}", number, url, asset)
    return found


def _service(place: str, number: int, url: str, asset: AppriseAsset) -> tuple[str, NotifyBase]:
    match = _SCHEME.match(url)
    scheme = match[0].lower() if match else ""
    if scheme in _REFUSED:
        raise SettingsError(f"--notify-file {place}: {scheme}:// would stay on this machine; use a remote receiver")
    with _Heard():
        service = Apprise.instantiate(url, asset=asset) if match else None
    if service is None:
        raise SettingsError(
            f"--notify-file {place} is no URL of a receiver that apprise knows, or its plug-in needs "
            "a library that is not here; write one a line, as in slack://…, msteams://…, mailtos://… or jsons://…"
        )
    return f"{scheme} in line {number}", service
