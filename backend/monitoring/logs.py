"""Logs: one JSON object a line, with who and what it is about, without private data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import orjson
import structlog

from backend.monitoring.redaction import redact
from backend.settings import Settings

# What the platform itself writes into a line; no text of these can be private.
OWN_NAMES = frozenset({"timestamp", "level", "logger"})


def configure_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's logs, as `log_level` and `log_format` say, to `stream` (stderr)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Loggers are made at import, before the settings are known, so they must look the configuration up.
        cache_logger_on_first_use=False,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=to_json)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # Private data goes last of all, when arguments and tracebacks are text already.
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, without_private_data, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in ("gunicorn.error", "gunicorn.access", "rq.worker", "werkzeug"):
        # These bring handlers of their own; what they say belongs into the same stream, in the same shape.
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module: `get_logger(__name__).info("import_finished", rows=200)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


@contextmanager
def logging_about(**facts: str) -> Iterator[None]:
    """Add facts such as `request_id`, `person_id`, `plugin` to every line logged inside."""
    with structlog.contextvars.bound_contextvars(**facts):
        yield


def without_private_data(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove private data from a log event, by name and by look."""
    own = {name: event[name] for name in event if name in OWN_NAMES}
    rest: dict[str, Any] = redact({name: event[name] for name in event if name not in OWN_NAMES})
    return {**own, **rest}


def to_json(event: MutableMapping[str, Any], **_options: Any) -> str:
    """Write a log event as one line of JSON."""
    try:
        return orjson.dumps(event).decode()
    except TypeError:  # a number beyond 64 bits, or half of a surrogate pair: rare, and still worth its line
        return json.dumps(event, default=str)
