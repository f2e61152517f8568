"""What a vendor reads: the worked example holds, the program sends, and every word has its line."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from plugins.alerts.alerts.models import ALERT_FLOW
from plugins.alerts.intake.reading import NAMES, read_events
from plugins.alerts.intake.routes import OUTCOMES
from plugins.alerts.intake.signing import signature
from tests.alerts.conftest import Vendor, vendor  # noqa: F401 - a fixture
from tests.docs import facts, pages

PAGE = pages.read("alerts")
STEPS = pages.section(PAGE, "The signature, step by step")


def example() -> tuple[bytes, str, str, bytes]:
    """Return key, signed text, header and body of the worked example."""
    key, signed = (block.strip() for block in pages.fenced(STEPS, "text"))
    [body] = pages.fenced(STEPS, "json")
    [header] = pages.fenced(STEPS, "http")
    return bytes.fromhex(key), signed, header.strip().removeprefix("X-Signature: "), body.strip().encode()


def test_the_worked_example_holds() -> None:
    key, signed, header, body = example()
    name, moment, digest = signed.split("\n")
    assert (name, digest) == ("qingxu-alerts-v1", hashlib.sha256(body).hexdigest())
    assert header == hmac.new(key, signed.encode(), "sha256").hexdigest() == signature(key.hex(), moment, body)
    named, [event] = read_events(json.loads(body))
    assert (named, event.code, event.confidence) == ("acme", "E02", 0.93)


def test_the_command_line_computes_the_same(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("No openssl")
    _, _, header, body = example()
    (tmp_path / "body.json").write_bytes(body)
    [script] = pages.fenced(STEPS, "sh")
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().rpartition(" ")[2] == header


def test_every_field_outcome_state_and_answer_has_its_line() -> None:
    listed = pages.first_cells(pages.section(PAGE, "The body"))
    assert set(listed) == {"happened_at" if name == "at" else name for name in NAMES} - {"address"}
    answers = pages.section(PAGE, "Answers")
    assert dict(re.findall(r"^\| `(\w+)` \| ([^|\d]+) \|$", answers, re.MULTILINE)) == OUTCOMES
    responses = facts.openapi()["paths"]["/api/v1/alerts/events"]["post"]["responses"]
    documented = {code: status for status, each in responses.items() for code in each.get("x-codes", {})}
    assert dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", answers, re.MULTILINE)) == documented
    section = pages.section(PAGE, "What happens then")
    states = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    ways = [(source, way.target) for way in ALERT_FLOW.transitions for source in way.sources]
    leads = {state: {target for source, target in ways if source == state} for state in ALERT_FLOW.states}
    assert {state: title for state, title, _ in states} == ALERT_FLOW.states
    assert {state: set(targets.split(", ")) for state, _, targets in states} == leads


def test_every_address_for_staff_is_there() -> None:
    rows = pages.first_cells(pages.section(PAGE, "Addresses for staff"))
    told = {(row.split()[0], "/api/v1" + re.sub(r"\{\w+\}", "{}", row.split()[1])) for row in rows}
    assert told <= facts.addresses()


@pytest.fixture
def address(vendor: Vendor) -> Iterator[str]:  # noqa: F811 - the fixture
    """Serve the platform on a free port."""
    server = make_server("127.0.0.1", 0, vendor.district.app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_sender_of_the_page_sends(vendor: Vendor, address: str) -> None:  # noqa: F811 - the fixture
    program: dict[str, Any] = {}
    exec(pages.files(PAGE)["sender.py"], program)
    event = {"event_id": "1", "code": "E02", "happened_at": datetime.now(UTC).isoformat(), "confidence": 0.93}
    for outcome in ("raised", "repeated"):
        answer = program["send"](address, "D1", vendor.key, [event])
        assert answer == {"events": [{"event_id": "1", "outcome": outcome}]}
    assert vendor.only_alert()["kind"] == "E02"
