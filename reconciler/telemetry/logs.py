"""Logs on stderr: constant messages with key-values, as text or JSON, ours and those of libraries in one shape.

One record is one line. Values are masked and escaped, whoever wrote them: members, git servers and files of users do.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import IO, Any, Final, Literal, Protocol, cast

import structlog

from reconciler.telemetry.masking import escaped, is_secret_name, mask

LEVELS: Final = ("debug", "info", "warning", "error")
_OURS: Final = "reconciler"
_DEEPEST: Final = 5
_FIRST: Final = ("time", "level", "logger", "event")
# They write the paths of URLs, which hold tokens, into their warnings; what matters of it our own messages say.
_SILENT: Final = ("apprise",)
_ERRORS_ONLY: Final = ("urllib3", "requests")


class Logger(Protocol):
    """`event` is constant; what varies goes into the fields."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...
    def exception(self, event: str, **fields: Any) -> Any: ...


def logger(name: str) -> Logger:
    """One for a part of the program, or for `reconciler` itself; it may be made before `configure`."""
    return cast(Logger, structlog.stdlib.get_logger(_OURS if name == _OURS else f"{_OURS}.{name}"))


def configure(format: Literal["text", "json"] = "text", level: str = "info", stream: IO[str] | None = None) -> None:
    """From now on all logs go to `stream`, by default stderr; of libraries from WARNING on. Colours on a terminal only.

    `level` is one of LEVELS. May be called again.
    """
    out = stream or sys.stderr
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
    shape: list[Any] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name, stamp]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shape,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    last: Any = structlog.processors.JSONRenderer(sort_keys=False)
    if format == "text":
        last = structlog.dev.ConsoleRenderer(
            colors=out.isatty(), timestamp_key="time", pad_event_to=0, pad_level=False, sort_keys=False
        )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shape,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _safe if format == "json" else _safe_line,
                last,
            ],
        )
    )
    wanted = getattr(logging, level.upper())
    root = logging.getLogger()
    for old in tuple(root.handlers):
        if isinstance(old.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(logging.WARNING, wanted))
    logging.getLogger(_OURS).setLevel(wanted)
    for name in _SILENT:
        logging.getLogger(name).propagate = False
    for name in _ERRORS_ONLY:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(True)


def _safe(_: Any, __: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Masked; JSON escapes by itself."""
    if "exception" in fields:  # under this name a traceback would be written over many lines
        fields["traceback"] = fields.pop("exception")
    names = sorted(fields, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    return {str(name): _value(str(name), fields[name], 0) for name in names}


def _safe_line(logger: Any, method: str, fields: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {
        escaped(name): escaped(value if isinstance(value, str) else str(value))
        for name, value in _safe(logger, method, fields).items()
    }


def _value(name: str, value: Any, depth: int) -> Any:
    """Masked, and in types that JSON has."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if is_secret_name(name):
        return "***"
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {str(key): _value(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_value("", item, depth + 1) for item in value]
    return mask(str(value))
