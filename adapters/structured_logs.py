"""Logs as JSON lines: events with fields, never the text of an exception.

A failure's message may carry what a customer wrote, so a record says only which exception, and where.
Everything of the standard library's loggers (Temporal, Presidio, Slack, SQL) passes through the same filter.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog
from structlog.types import EventDict, Processor

FRAMES = 12  # the innermost ones; a failure in Temporal's own machinery is deep
QUIET = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "presidio-analyzer": logging.ERROR,
    "uvicorn.access": logging.WARNING,  # paths name tenants, and the doors log what matters
}
# An event name as our workflows and steps log it; Temporal's loggers add the run in brackets.
EVENT = re.compile(r"(?P<name>[a-z][a-z0-9_.]*)(?: \(\{.*\}\))?", re.DOTALL)
# `adapters/temporal.py` forwards only the constant sentences of Temporal's Core.
CORE = "temporalio.core"
# What Temporal says about the run or step that logs: ids, names, attempt.
ABOUT_RUN = ("temporal_workflow", "temporal_activity", "step")


def set_up_logs(level: str = "info", service: str = "", file: Path | None = None) -> None:
    """Call once per process. Lines go to `file`, else to stderr."""
    handler = logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler(sys.stderr)
    shared = _shared_processors(service)
    renderer = structlog.processors.JSONRenderer()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=ABOUT_RUN), _foreign_event, *shared],
            pass_foreign_args=True,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quieter in QUIET.items():
        logging.getLogger(name).setLevel(quieter)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def without_text(error: BaseException) -> dict[str, object]:
    """Type and frames of an exception and of what caused it, without any message."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    told: dict[str, object] = {
        "type": type(error).__qualname__,
        "frames": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if error.__cause__ is not None:
        told["cause"] = without_text(error.__cause__)
    return told


def _shared_processors(service: str) -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(service),
        _exception_without_text,
    ]


def _naming(service: str) -> Processor:
    def add(_logger: Any, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return add


def _exception_without_text(_logger: Any, _method: str, event: EventDict) -> EventDict:
    told = event.pop("exc_info", None)
    for name in ("exception", "stack_info", "stack"):
        event.pop(name, None)
    error = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["error"] = without_text(error)
    _strip_values(event)
    return event


def _strip_values(event: MutableMapping[str, Any]) -> None:
    """An exception given as a field would be rendered with its message."""
    for name, value in event.items():
        if isinstance(value, BaseException):
            event[name] = type(value).__qualname__


def _foreign_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Other libraries put failures and payloads into their sentences, so only constant parts are kept."""
    record: logging.LogRecord = event["_record"]
    arguments = event.pop("positional_args", None)
    ours = isinstance(record.msg, str) and record.name.startswith("temporalio.")
    named = EVENT.fullmatch(record.msg) if ours else None
    if named:
        event["event"] = named["name"]
    elif arguments or record.name == CORE:
        event["event"] = str(record.msg)  # the format, without what goes into it
    else:
        event["event"] = f"{record.module}.{record.funcName}:{record.lineno}"
    return event
