"""From the photo to the masked copy, with the real models, and who may see what."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from backend.blobs import get
from backend.health.report import make_report
from backend.plugin_api.registry import installed
from backend.protection import audit
from backend.rollups import figures, recompute_dirty
from backend.storage import database
from plugins.evidence.vision import load_models
from tests.district import DISTRICT, EAST, WEST
from tests.evidence.conftest import Camera, ledger, work
from tests.vision import scenes, weights


@pytest.mark.usefixtures("with_models")
def test_faces_and_objects_are_cut_out_and_a_copy_without_faces_is_made(camera: Camera) -> None:
    region = {"photo": 0, "label": "垃圾袋", "box": [0.1, 0.5, 0.3, 0.9], "score": 0.8}
    capture = camera.send(weights.six_people(), regions=[region]).json["id"]
    work()
    shown = camera.staff.get(f"/api/v1/evidence/captures/{capture}")
    assert shown["state"] == "extracted" and shown["found"]["faces"] == 6
    assert shown["found"]["labels"] == ["垃圾袋"]
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    exhibits = officer.get(f"/api/v1/evidence/captures/{capture}")["exhibits"]
    faces = [exhibit for exhibit in exhibits if exhibit["kind"] == "face"]
    assert len(faces) == 6 and all(face["quality"]["height"] > 20 and face["sm3"] for face in faces)
    entries = ledger("derived", capture)
    assert sorted(entry["detail"]["exhibit"] for entry in entries) == sorted(exhibit["id"] for exhibit in exhibits)
    assert {entry["detail"]["of"] for entry in entries} == {shown["photos"][0]["sha256"]}
    [told] = [entry["detail"] for entry in entries if entry["detail"]["exhibit"] == faces[0]["id"]]
    assert told["made_by"]["model_sha256"] == faces[0]["made_by"]["model_sha256"] and told["sm3"] == faces[0]["sm3"]
    platform = [exhibit for exhibit in exhibits if exhibit.get("source") == "platform"]
    assert [exhibit["label"] for exhibit in platform] == ["垃圾袋"]
    [copy] = [exhibit for exhibit in exhibits if exhibit["kind"] == "masked_copy"]
    picture = Image.open(io.BytesIO(get(copy["sha256"], space=DISTRICT)))
    assert picture.size == (1280, 886) and not picture.getexif()
    pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1].copy()
    models = load_models(*settings_of_models(camera))
    assert [face for face in models.faces.find(pixels) if face.score >= 0.5] == []


@pytest.mark.usefixtures("with_models")
def test_what_is_new_against_the_photo_before_is_cut_out_and_nobody_on_that_is(camera: Camera) -> None:
    before = scenes.places()["garage"].copy()
    before[100:560, 600:910] = scenes.decoded(weights.astronaut())[20:480, 90:400]  # somebody stands there all the time
    after, box = scenes.put(before, "cup", 60, 470, 120)
    receipt = camera.send(scenes.encoded(before), scenes.encoded(after), before=[0]).json
    work()
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    shown = officer.get(f"/api/v1/evidence/captures/{receipt['id']}")
    assert [photo["before"] for photo in shown["photos"]] == [True, False]
    kinds = {number: {each["kind"] for each in shown["exhibits"] if each["photo"] == number} for number in (0, 1)}
    assert kinds[0] == {"masked_copy", "masked_thumbnail"} and "face" in kinds[1]
    objects = [each for each in shown["exhibits"] if each["kind"] == "object"]
    assert {each["source"] for each in objects} == {"comparison"} and {each["photo"] for each in objects} == {1}
    assert any(scenes.overlap(each["box"], box) > 0.5 for each in objects)
    [thumbnail] = [each for each in shown["exhibits"] if each["kind"] == "masked_thumbnail" and each["photo"] == 1]
    assert shown["thumbnail"] == thumbnail["picture"]


def settings_of_models(camera: Camera) -> tuple[str, str, str]:
    """Return the models that are configured."""
    from backend.settings import current

    return current().face_models, current().object_model, current().object_labels


@pytest.mark.usefixtures("with_models")
def test_most_people_see_masked_pictures_only_and_a_look_at_a_face_is_recorded(camera: Camera) -> None:
    capture = camera.send(weights.astronaut()).json["id"]
    work()
    address = f"/api/v1/evidence/captures/{capture}"
    shown = camera.staff.get(address)
    assert {exhibit["kind"] for exhibit in shown["exhibits"]} == {"masked_copy", "masked_thumbnail"}
    assert shown["photos"][0]["original"] is None
    assert camera.staff.call("GET", shown["thumbnail"]).mimetype == "image/jpeg"
    officer = camera.district.sign_in("enforcement_officer", DISTRICT)
    seen = officer.get(address)
    [face] = [exhibit for exhibit in seen["exhibits"] if exhibit["kind"] == "face"]
    assert camera.staff.call("GET", face["picture"], query_string={"purpose": "好奇"}).status_code == 403
    assert camera.staff.call("GET", f"{address}/photos/0", query_string={"purpose": "好奇"}).status_code == 403
    without = officer.call("GET", face["picture"])
    assert (without.status_code, without.json["code"]) == (422, "purpose_required")
    looked = officer.call("GET", face["picture"], query_string={"purpose": "核对当事人"})
    assert looked.status_code == 200 and looked.headers["Cache-Control"] == "private, no-store"
    assert Image.open(io.BytesIO(looked.data)).format == "JPEG"
    original = officer.call("GET", seen["photos"][0]["original"], query_string={"purpose": "核对原图"})
    assert original.data == weights.astronaut()
    looks = [entry for entry in audit.history("evidence.capture", capture) if entry.action.endswith("reveal")]
    assert [entry.detail["purpose"] for entry in looks] == ["核对原图", "核对当事人"]
    assert {entry.actor.id for entry in looks} == {str(officer.user.id)}


@pytest.mark.usefixtures("with_models")
def test_another_street_sees_nothing_of_it(camera: Camera) -> None:
    capture = camera.send(weights.astronaut()).json["id"]
    work()
    thumbnail = camera.staff.get(f"/api/v1/evidence/captures/{capture}")["thumbnail"]
    west = camera.district.sign_in("street_staff", WEST)
    assert west.get("/api/v1/evidence/captures")["items"] == []
    assert west.call("GET", f"/api/v1/evidence/captures/{capture}").status_code == 404
    assert west.call("GET", thumbnail).status_code == 404
    east = camera.district.sign_in("street_staff", EAST)
    [row] = east.get("/api/v1/evidence/captures", violation="mixed_waste", state="extracted")["items"]
    assert row["id"] == capture and row["violation_title"] == "混投垃圾"
    assert camera.district.anyone("GET", thumbnail).status_code == 401


@pytest.mark.usefixtures("with_models")
def test_the_figures_follow(camera: Camera) -> None:
    camera.send(weights.astronaut())
    recompute_dirty()
    assert figures("evidence.captures", where={"state": "received"}).total() == 1
    work()
    recompute_dirty()
    assert figures("evidence.captures", where={"state": "received"}).total() == 0
    assert figures("evidence.captures", area=EAST, where={"state": "extracted"}).total() == 1
    assert figures("evidence.captures", area=WEST).total() == 0


def test_without_models_the_capture_waits_and_the_health_page_says_why(camera: Camera) -> None:
    capture = camera.send(weights.astronaut()).json["id"]
    work()
    assert camera.staff.get(f"/api/v1/evidence/captures/{capture}")["state"] == "received"
    [delivery] = database()["events"].find_one({"name": "evidence.captured"})["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("waiting", 0)
    [check] = [each for each in make_report(installed())["checks"] if each["name"] == "evidence.models"]
    assert check["state"] == "fail" and "没有配置人脸检测模型" in check["detail"]


@pytest.mark.usefixtures("with_models")
def test_a_photo_that_cannot_be_worked_on_is_set_aside_and_can_be_tried_again(
    camera: Camera, monkeypatch: pytest.MonkeyPatch
) -> None:
    from plugins.evidence.captures import extraction
    from plugins.evidence.vision import UnreadablePhoto

    def unreadable(*_: object, **_options: object) -> None:
        raise UnreadablePhoto

    capture = camera.send(weights.astronaut()).json["id"]
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "extract", unreadable)
        work()
    shown = camera.staff.get(f"/api/v1/evidence/captures/{capture}")
    assert (shown["state"], shown["failure"]) == ("failed", "照片无法解码。")
    address = f"/api/v1/evidence/captures/{capture}/retry"
    assert camera.staff.call("POST", address).status_code == 428
    again = camera.staff.call("POST", address, etag=shown["etag"])
    assert (again.status_code, again.json["state"]) == (202, "received")
    work()
    assert camera.staff.get(f"/api/v1/evidence/captures/{capture}")["state"] == "extracted"
    refused = camera.staff.call("POST", address, etag=camera.staff.get(f"/api/v1/evidence/captures/{capture}")["etag"])
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")


@pytest.mark.usefixtures("with_models")
def test_work_done_twice_has_one_effect(camera: Camera) -> None:
    from backend.events import Event
    from plugins.evidence.captures.extraction import extract_capture

    capture = camera.send(weights.astronaut()).json["id"]
    work()
    before = database()["evidence_exhibits"].count_documents({})
    stored = database()["events"].find_one({"name": "evidence.captured"})
    extract_capture(
        Event(
            id=str(stored["_id"]),
            name=stored["name"],
            area=stored["area"],
            occurred_at=stored["occurred_at"],
            payload={"capture": capture},
        )
    )
    assert database()["evidence_exhibits"].count_documents({}) == before
