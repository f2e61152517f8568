"""What a camera's maker reads: the worked example holds, and the program sends."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
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

from plugins.evidence.captures.intake import signature
from plugins.evidence.captures.models import CAPTURE_FLOW, VIOLATIONS
from plugins.evidence.captures.schemas import ObservationSchema
from tests.district import District
from tests.docs import facts, pages
from tests.vision import weights

PAGE = pages.read("evidence")
STEPS = pages.section(PAGE, "The signature, step by step")
PHOTOS = (b"photo one", b"photo two")


def example() -> tuple[bytes, str, str, bytes]:
    """Return key, signed text, header and metadata of the worked example."""
    key, signed = (block.strip() for block in pages.fenced(STEPS, "text"))
    [metadata] = pages.fenced(STEPS, "json")
    [header] = pages.fenced(STEPS, "http")
    return bytes.fromhex(key), signed, header.strip().removeprefix("X-Signature: "), metadata.strip().encode()


def test_the_worked_example_holds() -> None:
    key, signed, header, metadata = example()
    hashes = [hashlib.sha256(part).hexdigest() for part in (metadata, *PHOTOS)]
    assert signed == "\n".join(["qingxu-capture-v1", *hashes])
    assert header == hmac.new(key, signed.encode(), "sha256").hexdigest()
    assert header == signature(key.hex(), metadata, PHOTOS)
    assert ObservationSchema().load(json.loads(metadata))["violation"] == "mixed_waste"


def test_the_command_line_computes_the_same(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("No openssl")
    _, _, header, metadata = example()
    for name, content in zip(("metadata.json", "1.jpg", "2.jpg"), (metadata, *PHOTOS), strict=True):
        (tmp_path / name).write_bytes(content)
    [script] = pages.fenced(STEPS, "sh")
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip().rpartition(" ")[2] == header


def test_every_field_violation_state_and_answer_has_its_line() -> None:
    form = pages.section(PAGE, "The form")
    listed = pages.first_cells(form)
    assert set(listed) == {"metadata", "photos", "clip"} | ObservationSchema().fields.keys() | VIOLATIONS.keys()
    needed = {name for name, field in ObservationSchema().fields.items() if field.required}
    assert set(re.findall(r"^\| `(\w+)` \| yes \|", form, re.MULTILINE)) == needed
    assert all(f"| {title} |" in form for title in VIOLATIONS.values())
    assert pages.first_cells(pages.section(PAGE, "What happens then")) == list(CAPTURE_FLOW.states)
    responses = facts.openapi()["paths"]["/api/v1/evidence/captures"]["post"]["responses"]
    documented = {code: status for status, each in responses.items() for code in each.get("x-codes", {})}
    answers = pages.section(PAGE, "Answers")
    assert dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", answers, re.MULTILINE)) == documented


@pytest.fixture
def address(district: District) -> Iterator[str]:
    """Serve the platform on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, district.app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_camera_of_the_page_sends(district: District, address: str) -> None:
    staff = district.sign_in()
    device = district.furnish(staff)["camera"]
    key = staff.call("POST", f"/api/v1/devices/{device['id']}/signing-key", etag=device["etag"]).json["signing_key"]
    program: dict[str, Any] = {}
    exec(pages.files(PAGE)["camera.py"], program)
    photo = weights.six_people()
    observation = {
        "device": "D1",
        "event_id": "observation-1",
        "device_time": datetime.now(UTC).isoformat(),
        "violation": "overflow",
        "regions": [{"photo": 1, "label": "bag", "box": [0.1, 0.2, 0.4, 0.6], "score": 0.87}],
    }
    receipt = program["send"](address, key, observation, [photo, weights.coffee()])
    hashes = [hashlib.sha256(each).hexdigest() for each in (photo, weights.coffee())]
    assert (receipt["state"], receipt["photos"]) == ("received", hashes)
    assert program["send"](address, key, observation, [photo, weights.coffee()]) == receipt
