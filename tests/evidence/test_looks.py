"""Every look is an entry of the ledger: who, what, why, from where."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from backend.storage import database
from tests.district import DISTRICT, Caller
from tests.evidence.conftest import Camera, ledger, work
from tests.vision import weights


def looks(capture: str) -> list[tuple[str, str, str]]:
    """Return kind, purpose and person of what was written down of looks at a capture."""
    kinds = ("viewed", "revealed", "downloaded")
    return [(row["kind"], row["purpose"], row["actor"]["id"]) for row in ledger("", capture) if row["kind"] in kinds]


def test_a_look_at_the_record_is_written_down_and_one_at_the_list_is_not(camera: Camera) -> None:
    capture = camera.send(weights.coffee()).json["id"]
    camera.staff.get("/api/v1/evidence/captures")
    assert looks(capture) == []
    camera.staff.get(f"/api/v1/evidence/captures/{capture}")
    assert looks(capture) == [("viewed", "", str(camera.staff.user.id))]
    [entry] = ledger("viewed", capture)
    assert entry["actor"]["address"] == "127.0.0.1" and entry["at"]


def test_an_original_is_revealed_for_a_purpose_or_downloaded_as_a_file(camera: Camera) -> None:
    photo = weights.coffee()
    receipt = camera.send(photo).json
    address = f"/api/v1/evidence/captures/{receipt['id']}/photos/0"
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    for purpose in ({}, {"purpose": "   "}):
        assert officer.call("GET", address, query_string=purpose).json["code"] == "purpose_required"
    assert looks(receipt["id"]) == []
    shown = officer.call("GET", address, query_string={"purpose": "核对"})
    assert (shown.data, shown.headers["Content-Disposition"]) == (photo, "inline")
    kept = officer.call("GET", address, query_string={"purpose": "附卷", "download": "true"})
    assert kept.headers["Content-Disposition"] == f'attachment; filename="{receipt["id"]}-0.png"'
    assert kept.headers["Cache-Control"] == "private, no-store"
    person = str(officer.user.id)
    assert looks(receipt["id"]) == [("revealed", "核对", person), ("downloaded", "附卷", person)]
    assert {entry["sha256"] for entry in ledger("revealed") + ledger("downloaded")} == {receipt["photos"][0]}
    assert (
        officer.call("GET", address.replace("/photos/0", "/photos/1"), query_string={"purpose": "核对"}).status_code
        == 404
    )
    assert (
        officer.call("GET", address.replace("/photos/0", "/clip"), query_string={"purpose": "核对"}).status_code == 404
    )


@pytest.fixture
def extracted(camera: Camera, with_models: None) -> str:
    """Return the id of a capture whose exhibits are made."""
    capture = camera.send(weights.astronaut()).json["id"]
    work()
    return str(capture)


def test_masked_copies_are_looks_and_thumbnails_are_none(camera: Camera, extracted: str) -> None:
    shown = camera.staff.get(f"/api/v1/evidence/captures/{extracted}")
    pictures = {exhibit["kind"]: exhibit["picture"] for exhibit in shown["exhibits"]}
    before = looks(extracted)
    thumbnail = camera.staff.call("GET", pictures["masked_thumbnail"])
    assert thumbnail.status_code == 200 and "max-age" in thumbnail.headers["Cache-Control"]
    assert looks(extracted) == before
    copy = camera.staff.call("GET", pictures["masked_copy"])
    assert Image.open(io.BytesIO(copy.data)).format == "JPEG" and copy.headers["Cache-Control"] == "private, no-store"
    camera.staff.call("GET", pictures["masked_copy"], query_string={"download": "true"})
    person = str(camera.staff.user.id)
    assert looks(extracted)[len(before) :] == [("viewed", "", person), ("downloaded", "", person)]


def test_an_exhibit_with_a_face_is_revealed(camera: Camera, extracted: str) -> None:
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    exhibits = officer.get(f"/api/v1/evidence/captures/{extracted}")["exhibits"]
    [face] = [exhibit for exhibit in exhibits if exhibit["kind"] == "face"]
    assert officer.call("GET", face["picture"], query_string={"purpose": "核对"}).status_code == 200
    [entry] = ledger("revealed", extracted)
    assert (entry["sha256"], entry["detail"]["exhibit"], entry["purpose"]) == (face["sha256"], face["id"], "核对")


def test_what_was_destroyed_is_gone_and_no_look_is_written(camera: Camera) -> None:
    capture = camera.send(weights.coffee()).json["id"]
    database()["evidence_captures"].update_one({}, {"$currentDate": {"shredding_at": True}})
    officer: Caller = camera.district.sign_in("enforcement_officer", DISTRICT)
    answer = officer.call("GET", f"/api/v1/evidence/captures/{capture}/photos/0", query_string={"purpose": "核对"})
    assert (answer.status_code, answer.json["code"]) == (410, "evidence_deleted")
    assert looks(capture) == []
