"""Reports come in once, lead to nobody, and bad ones are refused."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from bson import ObjectId, json_util
from PIL import Image

from backend import storage
from backend.identity import keep_areas
from backend.plugin_api import get_blob
from plugins.publicity.exposure.models import Exposure, Receipt, Reporter, files_named
from tests.district import AREAS, DISTRICT, EAST_ONE, Caller, District
from tests.publicity.conftest import API, SECRET_MAKE, TEXT, change, follow, picture, send, sent, work


def everything(*without: str) -> str:
    """Return the whole database as text, but for some collections."""
    database = storage.database()
    names = [name for name in database.list_collection_names() if name not in without]
    return "\n".join(json_util.dumps(row) for name in names for row in database[name].find())


def test_a_report_gives_a_receipt_that_shows_each_step(town: District):
    answer = send(town, picture(), picture("gold"))
    assert answer.status_code == 201 and answer.json["state"] == "待审核"
    followed = follow(town, answer.json["code"]).json
    assert (followed["number"], followed["text"], followed["photos"]) == (answer.json["number"], TEXT, 2)
    assert [step["text"] for step in followed["steps"]] == ["已收到，等待审核"]
    assert followed["own"] is True and followed["may_rate"] is False


def test_without_a_login_only_where_the_setting_allows(town: District):
    change(anonymous_exposure=False)
    answer = send(town)
    assert (answer.status_code, answer.json["code"]) == (401, "login_required")
    assert town.anyone("GET", f"{API}/similar?category=overflow&point=T1").status_code == 401
    assert send(town, by=town.sign_in("resident", EAST_ONE)).status_code == 201


def test_one_reports_in_the_whole_district_and_in_no_other(town: District):
    keep_areas({**AREAS, "34": "乙区"})
    assert send(town, by=town.sign_in("resident", "34")).status_code == 403
    assert Exposure.objects.count() == 0
    assert send(town, by=town.sign_in("resident", "33/332/33201")).status_code == 201


def test_no_store_log_or_trail_says_who_reported(town: District, caplog: pytest.LogCaptureFixture, capsys: Any):
    resident = town.sign_in("resident", EAST_ONE, phone="13812345678")
    capsys.readouterr()
    before = set(everything().split("\n"))
    exposure, _code = sent(town, picture(), by=resident, anonymous="true")
    work()
    written = "\n".join(set(everything("users", "sessions").split("\n")) - before)
    assert str(exposure.id) in written
    for trace in (str(resident.user.id), resident.user.account, "127.0.0.1", "13812345678", TEXT):
        assert trace not in written, trace
    out = capsys.readouterr()
    assert str(resident.user.id) not in out.out + out.err + caplog.text
    row = Reporter._get_collection().find_one({})
    assert "account" not in row and str(exposure.id) not in json_util.dumps(row)
    assert json.loads(Reporter.objects.first().identity)["id"] == str(resident.user.id)
    assert (row["created_at"].minute, row["created_at"].second) == (0, 0)


def test_without_a_login_nobody_is_kept_at_all(town: District):
    sent(town)
    assert Reporter.objects.count() == 0
    assert "127.0.0.1" not in "\n".join(
        json_util.dumps(row)
        for name in ("publicity_exposures", "publicity_receipts")
        for row in storage.database()[name].find()
    )
    entry = storage.database()["audit_entries"].find_one({"action": "publicity.exposure.report"})
    assert (entry["actor"]["id"], entry["actor"]["address"]) == ("anonymous", "")


def test_ids_tell_neither_time_nor_order(town: District):
    first, second = sent(town)[0], sent(town, text="第二件：桶又满了。")[0]
    now = first.reported_at.timestamp()
    assert all(abs(each.id.generation_time.timestamp() - now) > 60 for each in (first, second))
    assert Receipt.objects.first().id.generation_time.date() != first.reported_at.date()


def test_under_the_own_name_reports_are_listed_to_their_owner_alone(town: District):
    one, other = town.sign_in("resident", EAST_ONE), town.sign_in("volunteer", EAST_ONE)
    exposure, _ = sent(town, by=one)
    sent(town, by=one, anonymous="true", text="这一件是匿名上报的。")
    assert [each["number"] for each in one.get(f"{API}/mine")["items"]] == [exposure.number]
    assert other.get(f"{API}/mine")["items"] == []
    assert (exposure.named, exposure.source) == (True, "person")


def test_a_report_sent_twice_is_one(town: District):
    answers = [send(town, picture(), key="phone-0001") for _ in range(2)]
    assert answers[0].json == answers[1].json and answers[1].headers["Idempotency-Replayed"] == "true"
    # The answer was lost with the process, the record was not.
    storage.database()["idempotent_answers"].delete_many({})
    assert send(town, picture(), key="phone-0001").json == answers[0].json
    assert (Exposure.objects.count(), Receipt.objects.count()) == (1, 1)
    storage.database()["idempotent_answers"].delete_many({})
    other = send(town, picture(), key="phone-0001", text="同一个编号，另一件事情。")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("values", "photos", "code"),
    [
        ({"point": "T9"}, (), "no_such_point"),
        ({"point": "", "longitude": "121.5", "latitude": "29.1"}, (), "nothing_near"),
        ({"point": ""}, (), "invalid"),
        ({"longitude": "120.1"}, (), "invalid"),
        ({"longitude": "181", "latitude": "30"}, (), "invalid"),
        ({"category": "ufo"}, (), "invalid"),
        ({"text": "短"}, (), "invalid"),
        ({"text": "长" * 1001}, (), "invalid"),
        ({"more": "x"}, (), "invalid"),
        ({}, (b"<html><script>alert(1)</script></html>",), "unreadable_image"),
        ({}, (b"",), "unreadable_image"),
        ({}, tuple(picture() for _ in range(10)), "invalid"),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_nothing(town: District, values: Any, photos: Any, code: str):
    answer = send(town, *photos, **values)
    assert (answer.status_code, answer.json["code"]) == (422, code), answer.text
    assert Exposure.objects.count() == Receipt.objects.count() == 0


def test_a_place_finds_its_point(town: District):
    exposure, _ = sent(town, point="", longitude="120.1012", latitude="30.2711")
    assert (exposure.point, exposure.area) == ("T1", f"{EAST_ONE}/C1")
    assert exposure.place["coordinates"] == [120.1012, 30.2711]
    # A place told from far away does not move the report out of its point's place.
    moved, _ = sent(town, longitude="120.5", latitude="30.9", text="坐标离点位很远的上报。")
    assert moved.place["coordinates"] == [120.101, 30.271]


def test_script_stays_text(town: District, moderator: Caller):
    words = "<script>alert(1)</script>{{7*7}}<b>桶满了</b>"
    exposure, code = sent(town, text=words)
    assert follow(town, code).json["text"] == words
    page = town.anyone("POST", "/publicity/receipt", data={"code": code})
    assert page.status_code == 200 and "&lt;script&gt;alert(1)" in page.text and "<script>alert" not in page.text
    assert moderator.get(f"{API}/{exposure.id}")["text"] == words


def test_a_storm_is_limited_for_each_sender(town: District):
    change(exposure_rate="3/day")
    one = town.sign_in("resident", EAST_ONE)
    assert [send(town, by=one, text=f"第 {n} 件上报。").status_code for n in range(5)] == [201, 201, 201, 429, 429]
    assert [send(town, text=f"第 {n} 件匿名上报。").status_code for n in range(4)] == [201, 201, 201, 429]
    assert send(town, by=town.sign_in("resident", EAST_ONE)).status_code == 201


def test_codes_that_open_nothing_are_counted(town: District):
    change(receipt_tries="3/hour")
    _, code = sent(town)
    for _ in range(3):
        assert follow(town, "0000 0000 0000 0000").json["code"] == "receipt_code_wrong"
    assert follow(town, code).status_code == 429
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    blocked = town.anyone("POST", "/api/v1/exposure-receipts", json={"code": code}, headers=foreign)
    assert (blocked.status_code, blocked.json["code"]) == (403, "foreign_origin")


def test_every_shown_copy_is_without_metadata_and_the_original_untouched(town: District, moderator: Caller):
    original = picture()
    exposure, _ = sent(town, original)
    work()
    (photo,) = Exposure.objects.get(id=exposure.id).photos
    assert get_blob(photo.sha256, space=DISTRICT) == original and SECRET_MAKE.encode() in original
    for tail in ("photos/0", "photos/0/masked"):
        shown = moderator.call("GET", f"{API}/{exposure.id}/{tail}")
        assert shown.status_code == 200 and SECRET_MAKE.encode() not in shown.data
        with Image.open(io.BytesIO(shown.data)) as copy:
            assert not copy.getexif() and copy.size == (480, 640)  # turned as the camera said
            assert "comment" not in copy.info
    assert files_named(DISTRICT, [photo.sha256, photo.copy, photo.masked, "0" * 64]) == {
        photo.sha256, photo.copy, photo.masked
    }  # fmt: skip
    assert files_named("3", [photo.sha256]) == set()


def test_a_clip_comes_with_a_login_alone(town: District, moderator: Caller):
    resident = town.sign_in("resident", EAST_ONE)

    def upload(content: bytes, resident: Caller = resident) -> str:
        begun = resident.call(
            "POST", "/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content))}
        )
        headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        resident.call("PATCH", begun.headers["Location"], data=content, headers=headers)
        return str(begun.headers["Location"].rsplit("/", 1)[1])

    def box(kind: bytes, content: bytes = b"") -> bytes:
        return (len(content) + 8).to_bytes(4, "big") + kind + content

    film = box(b"ftyp", b"isom" + bytes(4)) + box(b"moov", bytes(20)) + box(b"mdat", b"film" * 50)
    exposure, _ = sent(town, by=resident, clip_upload=upload(film))
    shown = moderator.call("GET", f"{API}/{exposure.id}/clip")
    assert shown.data == film and "attachment" in shown.headers["Content-Disposition"]
    for bad in (b"<html>" * 9, film[:-3], film[30:], box(b"ftyp") + box(b"mdat"), bytes(64)):
        answer = send(town, by=resident, clip_upload=upload(bad), text="这是另外一件事情。")
        assert (answer.status_code, answer.json["code"]) == (422, "clip_not_mp4")
    assert send(town, clip_upload=str(ObjectId())).json["code"] == "invalid"
    one, other = town.sign_in("resident", EAST_ONE), town.sign_in("resident", EAST_ONE)
    assert send(town, by=other, clip_upload=upload(film, one)).status_code == 404
