"""What a device sends is taken in whole or refused with a reason."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image

from backend.blobs import exists, get, put, remove_unreferenced
from backend.protection import audit
from backend.storage import database
from plugins.evidence.captures.naming import USER
from tests.district import DISTRICT, EAST_ONE
from tests.evidence.conftest import Camera, ledger
from tests.vision import weights


def nothing_is_left() -> bool:
    """Say whether neither a capture nor an event was written."""
    return not any(database()[name].count_documents({}) for name in ("evidence_captures", "events"))


def test_a_signed_observation_is_kept_and_promised(camera: Camera) -> None:
    photo = weights.six_people()
    answer = camera.send(photo, weights.astronaut())
    assert answer.status_code == 202, answer.text
    hashes = [hashlib.sha256(photo).hexdigest(), hashlib.sha256(weights.astronaut()).hexdigest()]
    assert (answer.json["state"], answer.json["photos"]) == ("received", hashes)
    assert get(hashes[0], space=DISTRICT) == photo
    row = database()["evidence_captures"].find_one({})
    assert row is not None
    assert (row["area"], row["point"], row["device"]) == (f"{EAST_ONE}/C1", "T1", "D1")
    assert abs(row["clock_offset"]) < 5 and row["photos"][0]["width"] == 1280
    entries = ledger("taken_in", answer.json["id"])
    assert [(entry["sha256"], entry["detail"]["photo"]) for entry in entries] == [(hashes[0], 0), (hashes[1], 1)]
    assert {entry["actor"]["id"] for entry in entries} == {"D1"}
    told = entries[0]["detail"]
    assert (told["event_id"], told["sm3"]) == ("event-1", row["photos"][0]["sm3"])
    assert datetime.fromisoformat(told["received_at"]) - datetime.fromisoformat(told["device_time"]) < timedelta(0, 5)
    assert entries[0]["actor"]["address"] == row["source_address"] == "127.0.0.1"
    [entry] = audit.history("evidence.capture", answer.json["id"])
    assert (entry.actor.kind, entry.actor.id, entry.detail["photos"]) == ("device", "D1", hashes)


def test_the_originals_lie_encrypted(camera: Camera) -> None:
    photo = weights.six_people()
    camera.send(photo)
    stored = [path.read_bytes() for path in (camera.district.settings.data_dir / "blobs").rglob("*") if path.is_file()]
    assert stored and all(photo[1000:1064] not in content for content in stored)


def test_the_same_event_sent_again_makes_one_capture(camera: Camera) -> None:
    first, again = camera.send(weights.six_people()), camera.send(weights.six_people())
    assert first.status_code == again.status_code == 202 and first.json["id"] == again.json["id"]
    assert database()["evidence_captures"].count_documents({}) == 1
    other = camera.send(weights.astronaut())
    assert (other.status_code, other.json["code"]) == (409, "event_id_reused")
    assert len(ledger("taken_in")) == 1


def test_a_clock_that_jumps_back_is_written_down_as_it_was(camera: Camera) -> None:
    now = datetime.now(UTC)
    for number, device_time in enumerate((now, now - timedelta(hours=3), now - timedelta(minutes=1))):
        answer = camera.send(weights.coffee(), event_id=f"e{number}", device_time=device_time.isoformat())
        assert answer.status_code == 202, answer.text
    offsets = [row["clock_offset"] for row in database()["evidence_captures"].find().sort("_id", 1)]
    assert [round(offset / 60) for offset in offsets] == [0, 180, 1]
    assert [round(float(entry["detail"]["clock_offset"]) / 60) for entry in ledger("taken_in")] == [0, 180, 1]


def test_the_legal_record_stands_as_it_stood_at_intake(camera: Camera) -> None:
    staff = camera.staff
    [device] = staff.get("/api/v1/devices")["items"]
    address = f"/api/v1/devices/{device['id']}"
    legal = {"review_document": "清法审 1 号", "reviewed_on": "2026-03-01", "standard": "GB/T 28181-2022"}
    changed = staff.call("PATCH", address, json=legal, etag=device["etag"])
    first = camera.send(weights.coffee()).json["id"]
    signed = staff.call(
        "POST", f"{address}/sign-photo", data={"photo": (io.BytesIO(weights.cat()), "a")}, etag=changed.json["etag"]
    )
    more = {"publication": "https://www.example.gov.cn/cameras", "review_document": "清法审 2 号"}
    assert staff.call("PATCH", address, json=more, etag=signed.json["etag"]).status_code == 200
    second = camera.send(weights.coffee(), event_id="event-2").json["id"]
    before, after = (staff.get(f"/api/v1/evidence/captures/{each}")["legal"] for each in (first, second))
    assert (before["review_document"], before["complete"]) == ("清法审 1 号", False)
    assert (after["review_document"], after["complete"]) == ("清法审 2 号", True)
    assert after["sign_photo"] == hashlib.sha256(weights.cat()).hexdigest()


def test_a_forged_unsigned_unknown_or_disabled_device_gets_one_answer(camera: Camera) -> None:
    photo = weights.six_people()
    assert_refused = [
        camera.send(photo, key="ab" * 32),
        camera.send(photo, device="D404"),
        camera.post(json.dumps(observed()), photo, signed=False),
    ]
    device = camera.staff.get("/api/v1/devices")["items"][0]
    address = f"/api/v1/devices/{device['id']}/disable"
    camera.staff.call("POST", address, json={"reason": "已拆除"}, etag=device["etag"])
    assert_refused.append(camera.send(photo))
    told = {(answer.status_code, answer.json["code"], answer.json["detail"]) for answer in assert_refused}
    assert told == {(401, "device_not_recognised", "设备未登记、已停用或签名不正确。")}
    assert nothing_is_left()


def observed(**changes: Any) -> dict[str, Any]:
    """Return an observation."""
    told = {"device": "D1", "event_id": "e", "device_time": datetime.now(UTC).isoformat(), "violation": "other"}
    return {**told, **changes}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"device_time": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "device_time_in_future"),
        ({"device_time": "2020-01-01T00:00:00+08:00"}, "device_time_too_old"),
        ({"device_time": "1900-01-01T00:00:00.000+08:00"}, "device_time_too_old"),
        ({"device_time": "2026-11-22T10:00:00"}, "invalid"),
        ({"point": "T404"}, "unknown_point"),
        ({"violation": "murder"}, "invalid"),
        ({"event_id": {"$gt": ""}}, "invalid"),
        ({"device": {"$gt": ""}}, "invalid"),
        ({"regions": [{"photo": 5, "label": "袋", "box": [0, 0, 1, 1]}]}, "invalid"),
        ({"regions": [{"photo": 0, "label": "袋", "box": [0.9, 0, 0.1, 1]}]}, "invalid"),
        ({"regions": [{"photo": 0, "label": "袋", "box": [0.1, 0.5, 0.3, 1.1]}]}, "invalid"),
        ({"regions": [{"photo": 0, "label": "袋", "box": [0.1, 0.5]}]}, "invalid"),
        ({"before": [1]}, "invalid"),
        ({"before": [0]}, "invalid"),
        ({"before": [-1]}, "invalid"),
        ({"before": ["0"]}, "invalid"),
        ({"surprise": 1}, "invalid"),
    ],
)
def test_bad_observations_are_refused_and_leave_nothing(camera: Camera, changes: dict[str, Any], code: str) -> None:
    answer = camera.send(weights.six_people(), **changes)
    assert (answer.status_code in (401, 422), answer.json["code"]) == (True, code), answer.text
    assert any("\u4e00" <= sign <= "\u9fff" for sign in answer.json["detail"])
    assert nothing_is_left()


def huge_png() -> bytes:
    """Return a PNG of a few bytes that says it is 60,000 pixels square."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def gif() -> bytes:
    """Return a GIF."""
    file = io.BytesIO()
    Image.new("RGB", (200, 200)).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    "photo",
    [
        b"",
        b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>",
        b"<html></html>",
        huge_png(),
        gif(),
        weights.six_people()[:30_000],
    ],
    ids=["empty", "html called png", "html", "60,000 pixels square", "gif", "truncated"],
)
def test_what_is_no_photo_is_refused_and_leaves_nothing(camera: Camera, photo: bytes) -> None:
    answer = camera.send(weights.six_people(), photo)
    assert (answer.status_code, answer.json["code"] in ("unreadable_image", "image_too_large")) == (422, True)
    assert list(answer.json["fields"]) == ["photos.1"]
    assert nothing_is_left()


def test_the_form_itself_is_checked(camera: Camera) -> None:
    photo = weights.six_people()
    for metadata in ("not json", "[" * 2000, "[]", '"text"', "{}", "null"):
        answer = camera.post(metadata, photo)
        assert answer.status_code in (400, 422), (metadata[:10], answer.text)
    assert camera.post(json.dumps(observed())).status_code == 422
    assert camera.send(*[photo] * 10).status_code == 422
    assert nothing_is_left()


def test_files_that_no_capture_names_are_taken_away_and_no_others(camera: Camera) -> None:
    kept = camera.send(weights.six_people()).json["photos"]
    lost = put(weights.cat(), media_type="image/png", space=DISTRICT, user=USER).sha256
    remove_unreferenced(older_than_seconds=-1)
    assert exists(kept[0], space=DISTRICT) and not exists(lost, space=DISTRICT)


@pytest.mark.parametrize("head", ['name=""', "", 'name=""; filename="a.jpg"'])
def test_a_part_without_a_name_is_refused(camera: Camera, head: str) -> None:
    body = f"--b\r\nContent-Disposition: form-data; {head}\r\n\r\n[]\r\n--b--\r\n".encode()
    answer = camera.district.anyone(
        "POST", "/api/v1/evidence/captures", data=body, content_type="multipart/form-data; boundary=b"
    )
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
