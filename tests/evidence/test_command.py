"""The command that acts as a camera."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from backend.storage import database
from plugins.evidence.commands import send_capture
from tests.evidence.conftest import Camera
from tests.evidence.films import film
from tests.vision import weights


@pytest.fixture
def address(camera: Camera) -> Iterator[str]:
    """Serve the platform on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, camera.district.app, threaded=True)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_photos_and_a_clip_are_sent_as_a_camera_sends_them(address: str, tmp_path: Path) -> None:
    for name, content in (("0.png", weights.cat()), ("1.jpg", weights.six_people()), ("2.mp4", film())):
        (tmp_path / name).write_bytes(content)
    photos = [str(tmp_path / "0.png"), str(tmp_path / "1.jpg")]
    chosen = ["--clip", str(tmp_path / "2.mp4"), "--before", "0", "--device", "D1", "--violation", "overflow"]
    done = CliRunner().invoke(send_capture, [*photos, *chosen, "--url", address])
    assert done.exit_code == 0, done.output
    row = database()["evidence_captures"].find_one({})
    assert row is not None and str(row["_id"]) == json.loads(done.output)["id"]
    assert [photo["before"] for photo in row["photos"]] == [True, False]
    assert (row["clip"]["size"], row["violation"]) == (len(film()), "overflow")


def test_what_cannot_be_sent_is_said(address: str, tmp_path: Path) -> None:
    nothing = CliRunner().invoke(send_capture, ["--url", address])
    assert nothing.exit_code == 2 and "--clip" in nothing.output
    (tmp_path / "a.mp4").write_bytes(b"<html></html>")
    refused = CliRunner().invoke(send_capture, ["--clip", str(tmp_path / "a.mp4"), "--device", "D1", "--url", address])
    assert refused.exit_code == 1 and "unreadable_clip" in refused.output
