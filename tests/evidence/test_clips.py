"""Short films: taken in beside photos or alone, looked through for faces, played in pieces."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend import settings as settings_module
from backend.blobs import get
from backend.health.report import make_report
from backend.plugin_api.registry import installed
from backend.storage import database
from tests.district import DISTRICT
from tests.evidence.conftest import Camera, ledger, report, work
from tests.evidence.films import film, of_no_frames, without_index, without_pictures
from tests.vision import weights


def test_a_film_is_kept_under_its_hash_and_signed_for(camera: Camera) -> None:
    content = film()
    answer = camera.send(weights.coffee(), clip=content)
    assert answer.status_code == 202, answer.text
    assert answer.json["clip"] == hashlib.sha256(content).hexdigest()
    assert get(answer.json["clip"], space=DISTRICT) == content
    row = database()["evidence_captures"].find_one({})
    assert row is not None and row["clip"]["seconds"] == pytest.approx(2, abs=0.3)
    assert (row["clip"]["width"], row["clip"]["height"], row["clip"]["media_type"]) == (640, 448, "video/mp4")
    entries = ledger("taken_in", answer.json["id"])
    assert [entry["sha256"] for entry in entries] == [*answer.json["photos"], answer.json["clip"]]
    again = camera.send(weights.coffee(), clip=content)
    assert again.json == answer.json
    for other in (camera.send(weights.coffee()), camera.send(weights.coffee(), clip=film(1.0))):
        assert (other.status_code, other.json["code"]) == (409, "event_id_reused")


def test_a_film_that_was_not_signed_for_is_refused(camera: Camera) -> None:
    told = {"device": "D1", "event_id": "e", "device_time": datetime.now(UTC).isoformat(), "violation": "other"}
    metadata = json.dumps(told)
    from plugins.evidence.captures.intake import signature
    from tests.evidence.conftest import form

    header = {"X-Signature": signature(camera.key, metadata.encode(), [weights.coffee()], film())}
    data = form(metadata, weights.coffee(), clip=film(1.0))
    answer = camera.district.anyone("POST", "/api/v1/evidence/captures", data=data, headers=header)
    assert (answer.status_code, answer.json["code"]) == (401, "device_not_recognised")
    assert database()["evidence_captures"].count_documents({}) == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable_clip"),
        (b"<html><script>alert(1)</script></html>", "unreadable_clip"),
        (weights.six_people(), "unreadable_clip"),
        (film()[:-400], "unreadable_clip"),
        (without_index(film()), "unreadable_clip"),
        (of_no_frames(film()), "unreadable_clip"),
        (b"\0\0\0\x18ftypisom" + b"\xff" * 100, "unreadable_clip"),
    ],
    ids=["empty", "html", "a photo", "cut short", "no index", "no frames", "boxes beyond the end"],
)
def test_what_is_no_film_is_refused_and_leaves_nothing(camera: Camera, content: bytes, code: str) -> None:
    answer = camera.send(weights.coffee(), clip=content)
    assert (answer.status_code, answer.json["code"]) == (422, code), answer.text
    assert any("\u4e00" <= sign <= "\u9fff" for sign in answer.json["detail"])
    assert not any(database()[name].count_documents({}) for name in ("evidence_captures", "events", "blobs"))


@pytest.mark.parametrize(
    ("limit", "code"),
    [({"max_clip_seconds": 1}, "clip_too_long"), ({"max_clip_bytes": 1000}, "clip_too_large"),
     ({"max_clip_pixels": 100_000}, "clip_too_large")],
)  # fmt: skip
def test_a_film_beyond_the_limits_is_refused(camera: Camera, limit: dict[str, Any], code: str) -> None:
    before = settings_module.current()
    settings_module.configure(dataclasses.replace(before, **limit))
    try:
        answer = camera.send(clip=film())
    finally:
        settings_module.configure(before)
    assert (answer.status_code, answer.json["code"]) == (422, code)


def test_a_film_may_be_larger_than_all_photos_together_and_photos_may_not(camera: Camera) -> None:
    before, content = settings_module.current(), film()
    settings_module.configure(dataclasses.replace(before, max_upload_bytes=len(content) // 2, max_json_bytes=10_000))
    try:
        assert camera.send(clip=content).status_code == 202
        answer = camera.send(weights.coffee(), event_id="event-2")
    finally:
        settings_module.configure(before)
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_film_is_never_whole_in_memory(camera: Camera) -> None:
    # A box that players pass over makes a film as large as one likes.
    padding = 40_000_000
    content = film() + (padding + 8).to_bytes(4, "big") + b"free" + bytes(padding)
    camera.send(clip=film(), event_id="warm")
    sending = io.BytesIO()
    from plugins.evidence.commands import multipart

    told = {"device": "D1", "event_id": "e", "device_time": datetime.now(UTC).isoformat(), "violation": "other"}
    metadata = json.dumps(told).encode()
    from plugins.evidence.captures.intake import signature

    headers = {"X-Signature": signature(camera.key, metadata, [], content)}
    sending.write(multipart("b", metadata, [], content))
    sending.seek(0)
    tracemalloc.start()
    answer = camera.district.app.test_client(use_cookies=False).open(
        "/api/v1/evidence/captures",
        method="POST",
        input_stream=sending,
        content_type="multipart/form-data; boundary=b",
        content_length=len(sending.getbuffer()),
        headers=headers,
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer.status_code == 202, answer.text
    assert peak < 12_000_000, peak


@pytest.mark.usefixtures("with_models")
def test_frames_become_photos_that_say_where_they_come_from(camera: Camera) -> None:
    receipt = camera.send(clip=film()).json
    work()
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    shown = officer.get(f"/api/v1/evidence/captures/{receipt['id']}")
    assert shown["state"] == "extracted" and shown["thumbnail"], shown["failure"]
    assert shown["found"]["faces"] >= 1
    frames = shown["photos"]
    assert frames and all(frame["frame_at"] >= 0.8 and frame["made_by"] for frame in frames[:1])
    assert camera.send(clip=film()).json == {**receipt, "state": "extracted"}
    picture = officer.call("GET", frames[0]["original"], query_string={"purpose": "核对"})
    assert Image.open(io.BytesIO(picture.data)).size == (frames[0]["width"], frames[0]["height"]) == (640, 448)
    derived = ledger("derived", receipt["id"])
    of_clip = [entry for entry in derived if entry["detail"]["kind"] == "frame"]
    assert [entry["sha256"] for entry in of_clip] == [frame["sha256"] for frame in frames]
    assert {entry["detail"]["of"] for entry in of_clip} == {receipt["clip"]}
    made = [entry["detail"]["exhibit"] for entry in derived if "exhibit" in entry["detail"]]
    assert sorted(made) == sorted(exhibit["id"] for exhibit in shown["exhibits"])


@pytest.mark.usefixtures("with_models")
def test_a_film_that_cannot_be_decoded_is_set_aside_and_can_be_tried_again(camera: Camera) -> None:
    answer = camera.send(weights.coffee(), clip=without_pictures(film()))
    assert answer.status_code == 202, answer.text
    work()
    address = f"/api/v1/evidence/captures/{answer.json['id']}"
    shown = camera.staff.get(address)
    assert shown["state"] == "failed" and "视频" in shown["failure"]
    assert ledger("derived") == [] and len(shown["photos"]) == 1
    again = camera.staff.call("POST", f"{address}/retry", etag=shown["etag"])
    assert (again.status_code, again.json["state"]) == (202, "received")


def test_a_film_is_played_in_pieces_for_a_purpose(camera: Camera) -> None:
    content = film()
    capture = camera.send(clip=content).json["id"]
    address = f"/api/v1/evidence/captures/{capture}/clip"
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    assert officer.call("GET", address).json["code"] == "purpose_required"
    why = {"purpose": "核对当事人"}
    assert camera.staff.call("GET", address, query_string=why).status_code == 403
    whole = officer.call("GET", address, query_string=why)
    assert (whole.status_code, whole.data, whole.mimetype) == (200, content, "video/mp4")
    assert whole.headers["Accept-Ranges"] == "bytes" and whole.headers["Cache-Control"] == "private, no-store"
    for asked, expected in (("bytes=0-99", content[:100]), ("bytes=5000-", content[5000:]), ("bytes=-7", content[-7:])):
        piece = officer.call("GET", address, query_string=why, headers={"Range": asked})
        assert (piece.status_code, piece.data) == (206, expected), asked
        assert piece.headers["Content-Range"].endswith(f"/{len(content)}")
    beyond = officer.call("GET", address, query_string=why, headers={"Range": f"bytes={len(content)}-"})
    assert beyond.status_code in (400, 416)
    [look] = ledger("revealed", capture)
    assert (look["purpose"], look["detail"]) == ("核对当事人", {"clip": True, "unmasked": True})
    officer.call("GET", address, query_string={"purpose": "另一原因"}, headers={"Range": "bytes=0-9"})
    kept = officer.call("GET", address, query_string={**why, "download": "true"})
    assert kept.headers["Content-Disposition"] == f'attachment; filename="{capture}.mp4"'
    assert len(ledger("revealed", capture)) == 2 and len(ledger("downloaded", capture)) == 1
    other = camera.district.sign_in("enforcement_officer", DISTRICT)
    other.call("GET", address, query_string=why)
    assert len(ledger("revealed", capture)) == 3


def test_a_person_reports_with_a_film_that_was_uploaded_in_pieces(camera: Camera) -> None:
    resident = camera.district.sign_in("resident", "33/331/33101")
    content, tus = film(), {"Tus-Resumable": "1.0.0"}
    begun = resident.call("POST", "/api/v1/uploads", headers={**tus, "Upload-Length": str(len(content))})
    assert begun.status_code == 201, begun.text
    upload = begun.headers["Location"]
    kind = "application/offset+octet-stream"

    def send(start: int, end: int) -> int:
        headers = {**tus, "Upload-Offset": str(start)}
        part = resident.call("PATCH", upload, data=content[start:end], headers=headers, content_type=kind)
        return part.status_code

    number = upload.rpartition("/")[2]
    half = len(content) // 2
    assert send(0, half) == 204
    early = report(resident, clip_upload=number)
    assert early.json["code"] == "upload_unfinished", early.text
    assert send(half, len(content)) == 204
    other = camera.district.sign_in("resident", "33/331/33101")
    assert report(other, clip_upload=number).status_code == 404
    answer = report(resident, clip_upload=number, key="with-a-film")
    assert answer.status_code == 202, answer.text
    assert answer.json["clip"] == hashlib.sha256(content).hexdigest()
    database()["idempotent_answers"].delete_many({})
    assert report(resident, clip_upload=number, key="with-a-film").json == answer.json
    assert report(resident, clip_upload=number).status_code == 404
    assert get(answer.json["clip"], space=DISTRICT) == content
    [own] = resident.get("/api/v1/evidence/my-reports")["items"]
    assert own["clip"] is True and own["photos"] == 0


def test_the_health_page_says_what_does_not_work_without_ffmpeg(camera: Camera, tmp_path: Path) -> None:
    def told() -> tuple[str, str]:
        [check] = [each for each in make_report(installed())["checks"] if each["name"] == "evidence.clips"]
        return check["state"], check["detail"]

    state, detail = told()
    assert state == "ok" and "ffmpeg" in detail
    before = settings_module.current()
    dead = tmp_path / "ffmpeg"
    dead.write_text("#!/bin/sh\nexit 1\n")
    dead.chmod(0o755)
    for path, words in ((tmp_path / "nowhere", "不存在"), (dead, "无法运行")):
        settings_module.configure(dataclasses.replace(before, ffmpeg=str(path)))
        state, detail = told()
        assert state == "warn" and words in detail and "照片照常处理" in detail, detail
    settings_module.configure(before)
