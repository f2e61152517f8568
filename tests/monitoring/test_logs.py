"""Every line of the log is one JSON object without private data, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from backend.monitoring import configure_logs, get_logger, logging_about
from backend.settings import Settings


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, configuration = root.handlers, root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logs(Settings(log_level="INFO"), stream)
    yield stream
    root.handlers = before
    root.setLevel(level)
    structlog.configure(**configuration)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_line_says_what_when_who_and_which_plugin(log: io.StringIO) -> None:
    with logging_about(request_id="r1", person_id="p1", plugin="noise"):
        get_logger("qingxu.test").info("import_finished", rows=200)
    get_logger("qingxu.test").debug("not_shown")
    (line,) = lines(log)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "import_finished",
        "level": "info",
        "logger": "qingxu.test",
        "plugin": "noise",
        "person_id": "p1",
        "request_id": "r1",
        "rows": 200,
    }


def test_private_data_is_gone_from_fields_messages_arguments_and_tracebacks(log: io.StringIO) -> None:
    get_logger("a").info("saved", phone="13812345678", note="电话 13812345678", form={"password": "hunter2"})
    logging.getLogger("a.library").warning("no such user %s with %s", "13812345678", {"token": "hunter2"})
    try:
        raise ValueError("bad phone 13812345678, password=hunter2")
    except ValueError:
        logging.getLogger("a.library").exception("failed")
    saved, warned, failed = lines(log)
    assert "13812345678" not in log.getvalue() and "hunter2" not in log.getvalue()
    assert saved["form"] == {"password": "[removed]"}
    assert warned["event"].startswith("no such user [removed]") and warned["logger"] == "a.library"
    assert "ValueError" in failed["exception"] and failed["level"] == "error"


def test_what_json_cannot_hold_still_makes_a_line(log: io.StringIO) -> None:
    get_logger("a").info("odd", number=2**70, half="\ud800", thing=object(), raw=b"abc")
    (line,) = lines(log)
    assert line["raw"] == "[3 bytes]"


def test_the_console_shape_is_for_people(log: io.StringIO) -> None:
    configure_logs(Settings(log_format="console"), log)
    get_logger("a").info("started", phone="13812345678")
    assert "started" in log.getvalue() and "{" not in log.getvalue() and "138" not in log.getvalue()
