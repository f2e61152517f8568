"""What a person adds to what machines found: a region drawn on a photo, and who of the people on it is meant."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backend.blobs import get, put
from backend.protection import audit
from backend.storage import database
from plugins.evidence.vision import models
from tests.district import DISTRICT, EAST, WEST, Caller
from tests.evidence.conftest import Camera, ledger, work
from tests.faults.camera import new_photo
from tests.vision import weights

BOX = [0.1, 0.5, 0.3, 0.9]

pytestmark = pytest.mark.usefixtures("with_models")


@pytest.fixture
def capture(camera: Camera, with_models: None) -> str:
    """Return the id of a capture of one person whose exhibits are made."""
    capture = camera.send(new_photo()).json["id"]
    work()
    return str(capture)


def draw(by: Caller, capture: str, **told: Any) -> Any:
    """Draw a region."""
    content = {"photo": 0, "kind": "waste", "box": BOX, **told}
    return by.call("POST", f"/api/v1/evidence/captures/{capture}/regions", json=content)


def exhibits(by: Caller, capture: str, **wanted: Any) -> list[dict[str, Any]]:
    """Return the exhibits with these values."""
    found = by.get(f"/api/v1/evidence/captures/{capture}")["exhibits"]
    return [each for each in found if all(each.get(name) == value for name, value in wanted.items())]


def test_a_drawn_region_becomes_an_exhibit_that_says_who_drew_it(camera: Camera, capture: str) -> None:
    answer = draw(camera.staff, capture, note="黑色垃圾袋")
    assert answer.status_code == 202, answer.text
    [entry] = ledger("drawn", capture)
    assert entry["actor"]["id"] == str(camera.staff.user.id)
    assert entry["detail"]["box"] == ["0.1", "0.5", "0.3", "0.9"] and entry["detail"]["exhibit"] == answer.json["id"]
    assert "evidence.region.draw" in [each.action for each in audit.history("evidence.capture", capture)]
    work()
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    [drawn] = exhibits(officer, capture, source="person")
    assert (drawn["id"], drawn["kind"], drawn["label"]) == (answer.json["id"], "object", "黑色垃圾袋")
    picture = Image.open(io.BytesIO(get(drawn["sha256"], space=DISTRICT)))
    assert picture.width == pytest.approx(0.2 * 320, rel=0.2)
    assert [each["sha256"] for each in ledger("derived", capture)].count(drawn["sha256"]) == 1
    work()  # delivered again it would be the same
    assert len(exhibits(officer, capture, source="person")) == 1


def test_two_regions_on_one_photo_are_two_exhibits(camera: Camera, capture: str) -> None:
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    before = len(exhibits(officer, capture))
    draw(camera.staff, capture)
    draw(camera.staff, capture, kind="person", box=[0.4, 0.1, 0.6, 0.9])
    draw(camera.staff, capture, box=[0.5, 0.5, 0.6, 0.6])
    work()
    drawn = exhibits(officer, capture, source="person")
    assert sorted((each["kind"], each["label"]) for each in drawn) == [
        ("face", "当事人"),
        ("object", "垃圾"),
        ("object", "垃圾"),
    ]
    assert len(exhibits(officer, capture)) == before + 3


def test_a_region_that_cannot_be_is_refused(camera: Camera, capture: str) -> None:
    for told in (
        {"photo": 1}, {"photo": -1}, {"kind": "dog"}, {"box": [0.1, 0.5, 0.3, 1.1]}, {"box": [0.3, 0.5, 0.1, 0.9]},
        {"box": [0, 0, 1]}, {"box": [float("nan"), 0, 1, 1]}, {"note": "长" * 41}, {"surprise": 1},
    ):  # fmt: skip
        answer = draw(camera.staff, capture, **told)
        assert answer.status_code in (400, 422), (told, answer.text)
    assert ledger("drawn") == []


def test_who_reviews_or_edits_draws_and_nobody_else(camera: Camera, capture: str) -> None:
    for user_type, area, expected in (
        ("street_staff", EAST, 202),
        ("enforcement_officer", DISTRICT, 202),
        ("supervisor", EAST, 403),
        ("street_staff", WEST, 404),
        ("resident", EAST, 403),
    ):
        answer = draw(camera.district.sign_in(user_type, area), capture)
        assert answer.status_code == expected, (user_type, answer.text)


def test_nothing_is_drawn_before_the_extraction(camera: Camera) -> None:
    answer = draw(camera.staff, camera.send(weights.coffee()).json["id"])
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")


def test_the_copy_of_the_subject_shows_one_face_and_masks_the_others(camera: Camera) -> None:
    from backend.events import Event
    from plugins.evidence.captures.drawing import copy_subject

    capture = camera.send(weights.six_people()).json["id"]
    work()
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    face = exhibits(officer, capture, kind="face")[2]
    stored = database()["events"].find_one({"name": "evidence.captured"})
    assert stored is not None
    payload = {"case": "0" * 24, "subject": face["id"], "waste": None}
    event = Event(
        id=str(stored["_id"]),
        name="evidence.subject_chosen",
        area=stored["area"],
        occurred_at=stored["occurred_at"],
        payload=payload,
    )
    copy_subject(event)
    copy_subject(event)
    [copy] = exhibits(officer, capture, kind="subject_copy")
    picture = Image.open(io.BytesIO(get(copy["sha256"], space=DISTRICT)))
    assert picture.size == (1280, 886)
    pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1].copy()
    [left] = [found for found in models().faces.find(pixels) if found.score >= 0.5]
    middle = ((left.box[0] + left.box[2]) / 2, (left.box[1] + left.box[3]) / 2)
    assert face["box"][0] < middle[0] < face["box"][2] and face["box"][1] < middle[1] < face["box"][3]
    assert camera.staff.call("GET", copy["picture"]).status_code == 403
    assert officer.call("GET", copy["picture"]).json["code"] == "purpose_required"
    assert exhibits(camera.staff, capture, kind="subject_copy") == []


def test_a_region_of_a_photo_that_no_decoder_of_it_reads_is_refused_at_once(camera: Camera, capture: str) -> None:
    [row] = database()["evidence_captures"].find()
    half = weights.astronaut()
    broken = put(half[: len(half) // 3], media_type="image/png", space=DISTRICT)
    database()["evidence_captures"].update_one({"_id": row["_id"]}, {"$set": {"photos.0.sha256": broken.sha256}})
    answer = draw(camera.staff, capture)
    assert (answer.status_code, answer.json["code"]) == (422, "unreadable_image")
    assert answer.json["detail"] == "不能从这张照片截取：照片无法解码。"
    assert ledger("drawn") == [] and database()["events"].count_documents({"name": "evidence.region_drawn"}) == 0
