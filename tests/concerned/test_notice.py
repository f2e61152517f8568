"""The code, the masked record and the defence, through the API."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import settings as settings_module
from backend import storage
from backend.events import EventHandler, StoredEvent, deliver_due, subscribe
from backend.jobs import run_worker
from backend.plugin_api import LOCAL_ZONE, atomically, publish, utcnow
from backend.protection import audit
from backend.protection.codes import LETTERS, in_groups, new_code, read_code
from plugins.evidence.captures.models import Exhibit
from plugins.evidence.cases.models import Case
from plugins.evidence.concerned.models import Defence, NoticeVisit, photos_named
from plugins.evidence.concerned.notice import notice_code, serve
from plugins.evidence.concerned.routes import COOKIE
from tests.concerned.conftest import API, Concerned, expire, make_case, notes, picture
from tests.district import EAST_ONE, District, no_id

codes = st.builds(new_code)


@given(codes)
def test_a_code_is_read_however_it_is_typed(code: str):
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    alike = code.replace("0", "o").replace("1", "l")
    for typed in (code, in_groups(code), in_groups(code).replace(" ", "-"), f"  {code.lower()}\n", wide, alike):
        assert read_code(typed) == code


@given(codes, st.integers(0, 15), st.sampled_from(LETTERS))
def test_one_wrong_character_is_found(code: str, place: int, letter: str):
    typed = code[:place] + letter + code[place + 1 :]
    assert (read_code(typed) == code) if typed == code else read_code(typed) is None


@given(codes, st.integers(0, 14), st.integers(0, 14))
def test_two_characters_that_changed_places_are_found(code: str, one: int, two: int):
    letters = list(code)
    letters[one], letters[two] = letters[two], letters[one]
    typed = "".join(letters)
    assert typed == code or read_code(typed) is None


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_or_refused(typed: str):
    assert read_code(typed) is None or len(read_code(typed) or "") == 16


def test_the_notice_names_case_law_rights_code_and_time_limit(case, staff):
    told = staff.get(f"/api/v1/evidence/cases/{case.id}/notice")
    assert told["number"] == case.number and read_code(told["code"]) == notice_code(case)
    assert (
        told["code"].count(" ") == 3 and told["page"].endswith("/evidence/notice") and told["code"] not in told["page"]
    )
    words = "".join([told["facts"], *told["law"], *told["rights"], told["how"]])
    for each in ("混投垃圾", "一社区阳光花园 1 号投放点", "行政处罚法", "第四十一条", "陈述", "申辩", told["page"]):
        assert each in words, each
    last_day = (utcnow().astimezone(LOCAL_ZONE) + timedelta(days=5)).strftime("%Y年%m月%d日")
    assert last_day in told["how"]
    [look] = [each for each in notes("viewed") if each["detail"].get("document") == "notice"]
    assert look["actor"]["id"] == str(staff.user.id)


def test_only_issuing_starts_the_time_and_a_second_time_changes_nothing(district: District, staff):
    case = make_case("33-2026-000001")
    here = f"/api/v1/evidence/cases/{case.id}/notice"
    looked = staff.call("GET", here)
    assert (looked.status_code, looked.json["code"]) == (409, "notice_not_issued")
    stored = Case.objects.get(id=case.id)
    assert (stored.noticed_at, stored.defence_until, stored.version) == (None, None, case.version)
    assert staff.call("POST", here, etag=f"{case.id}-{case.version + 1}").json["code"] == "stale_version"
    key = {"Idempotency-Key": "notice-1"}
    first = staff.call("POST", here, etag=f"{case.id}-{case.version}", headers=key)
    assert first.status_code == 201, first.text
    assert staff.call("POST", here, etag=f"{case.id}-{case.version}", headers=key).json == first.json
    again = staff.call("POST", here, etag=f"{case.id}-{case.version + 1}")
    assert again.json == first.json == staff.get(here)
    [entry] = notes("noticed")
    assert (entry["actor"]["id"], entry["case"]) == (str(staff.user.id), str(case.id))
    issued = [each for each in audit.history("evidence.case", str(case.id)) if each.action == "evidence.notice.issue"]
    assert len(issued) == 1
    opened = staff.get(f"/api/v1/evidence/cases/{case.id}")
    assert (opened["noticed_at"], opened["defence_until"]) == (first.json["noticed_at"], first.json["defence_until"])
    assert opened["may"]["notice"] is True


def test_many_who_make_the_code_at_once_get_the_same(district: District):
    case = make_case("33-2026-000007")
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(notice_code(Case.objects.get(id=case.id)))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 8 and len(set(made)) == 1


def test_a_code_is_made_when_a_penalty_is_confirmed_and_kept_encrypted(district: District):
    case = make_case("33-2026-000008")
    told = {"case": str(case.id), "number": case.number, "violation": case.violation, "captures": []}
    atomically(lambda: publish("evidence.case_confirmed", {**told, "penalty": True}, area=case.area))
    deliver_due()
    run_worker(["default"], burst=True)
    row = Case._get_collection().find_one({"_id": case.id})
    code = Case.objects.get(id=case.id).notice_code
    assert read_code(code) == code and code.encode() not in bytes(row["notice_code"]) + bytes(row["notice_index"])


def test_what_nobody_has_judged_is_not_told(district: District, staff):
    waiting = make_case("33-2026-000009")
    Case._get_collection().update_one({"_id": waiting.id}, {"$set": {"state": "waiting"}})
    answer = staff.call("POST", f"/api/v1/evidence/cases/{waiting.id}/notice", etag=f"{waiting.id}-{waiting.version}")
    assert (answer.status_code, answer.json["code"]) == (409, "notice_not_due")


def test_a_code_that_was_not_handed_out_opens_nothing(district: District):
    case = make_case("33-2026-000010")
    code = notice_code(case)
    answer = Concerned(district.app.test_client(), code).open()
    assert (answer.status_code, answer.json["code"]) == (404, "notice_code_wrong")


def test_the_record_shows_the_own_case_with_masked_pictures_alone(person: Concerned, case: Case):
    opened = person.open()
    assert opened.status_code == 201
    cookie = opened.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and person.code not in cookie
    record = person.record()
    assert record == opened.json
    assert (record["number"], record["violation_title"], record["state"]) == (case.number, "混投垃圾", "confirmed")
    assert record["place"].startswith("甲区东街道一社区") and record["may_defend"] is True
    masked = Exhibit.objects.get(capture=case.captures[0], kind="masked_copy")
    assert record["pictures"] == [str(masked.id)]
    shown = person.client.get(f"{API}/pictures/{masked.id}")
    assert (shown.status_code, shown.data) == (200, picture("teal"))
    assert "no-store" in shown.headers["Cache-Control"]
    for private in ("sha256", "D1", "captures", "decisions", "device"):
        assert private not in opened.text


def test_faces_and_other_cases_stay_closed(person: Concerned, case: Case):
    other = serve(make_case("33-2026-000002"))
    person.open()
    face = Exhibit.objects.get(capture=case.captures[0], kind="face")
    foreign = Exhibit.objects.get(capture=other.captures[0], kind="masked_copy")
    for exhibit in (face.id, foreign.id, no_id()):
        assert person.client.get(f"{API}/pictures/{exhibit}").status_code == 404
    assert other.number not in person.client.get(f"{API}/record").text


def test_each_look_is_in_the_ledger_without_saying_from_where(person: Concerned, case: Case):
    person.open()
    person.record()
    entries = notes("viewed")
    assert len(entries) == 2
    for entry in entries:
        assert (
            entry["actor"]["kind"] == "concerned" and entry["actor"]["address"] == "" and entry["case"] == str(case.id)
        )
        assert person.code not in str(entry)


def test_all_wrong_codes_get_the_same_answer_and_few_are_let_through(district, person: Concerned, case: Case):
    gone = make_case("33-2026-000003")
    serve(gone)
    dead = notice_code(gone)
    Case._get_collection().update_one({"_id": gone.id}, {"$set": {"shredded_at": utcnow()}})
    answers = [person.open(code) for code in (new_code(), "x", dead, "0" * 15 + "1", "❤" * 16)]
    told = {(each.status_code, each.json["code"], each.json["detail"]) for each in answers}
    assert told == {(404, "notice_code_wrong", "告知码不正确或已失效，请对照告知书重新输入。")}
    for _ in range(6):
        last = person.open(new_code())
    assert (last.status_code, last.json["code"]) == (429, "too_many_requests")
    assert person.open().status_code == 429  # the right one too, from this address
    elsewhere = person.client.post(
        f"{API}/visits", json={"code": person.code}, environ_base={"REMOTE_ADDR": "10.9.9.9"}
    )
    assert elsewhere.status_code == 201


def test_one_address_asks_so_often_and_no_more(district, person: Concerned):
    before = settings_module.current()
    settings_module.configure(dataclasses.replace(before, notice_rate="3/minute"))
    try:
        assert [person.open().status_code for _ in range(4)][-1] == 429
    finally:
        settings_module.configure(before)


def test_without_code_after_its_time_and_after_leaving_nothing_is_shown(person: Concerned, case: Case):
    assert person.client.get(f"{API}/record").json["code"] == "notice_visit_over"
    person.open()
    assert person.client.delete(f"{API}/visits/current").status_code == 204
    assert person.client.get(f"{API}/record").status_code == 401
    person.open()
    NoticeVisit._get_collection().update_many({}, {"$set": {"expires_at": utcnow() - timedelta(seconds=1)}})
    assert person.client.get(f"{API}/record").status_code == 401
    assert storage.database()["evidence_notice_visits"].find_one({"token": person.code}) is None


def test_a_page_of_another_site_opens_and_files_nothing(person: Concerned):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert person.open(headers=foreign).json["code"] == "foreign_origin"
    person.open()
    answer = person.client.post(f"{API}/defences", data={"text": "当时袋子已经破了，并不是乱扔。"}, headers=foreign)
    assert (answer.status_code, answer.json["code"]) == (403, "foreign_origin")


def heard(name: str) -> list[dict[str, Any]]:
    """Return what was told of this name; somebody has to listen before."""
    return [dict(row["payload"]) for row in StoredEvent._get_collection().find({"name": name})]


@pytest.fixture
def listening(person: Concerned) -> None:
    """Let somebody listen, for nothing is kept of what nobody hears; the next test's platform forgets him."""
    for name in ("evidence.defence_filed", "evidence.defence_answered"):
        subscribe(EventHandler(name=f"{name}_heard", event=name, handle=lambda event: None))


def test_a_defence_enters_the_case_encrypted_and_is_announced(person: Concerned, case: Case, staff, listening):
    person.open()
    text = "  <script>alert(1)</script> 当时袋子已经破了。  "
    filed = person.defend(text, picture("gold"), picture("navy", "PNG"), phone="138 1234 5678")
    assert filed.status_code == 201 and filed.json["text"] == text.strip() and filed.json["photos"] == 2
    row = Defence._get_collection().find_one({})
    assert "袋子".encode() not in bytes(row["text"]) and b"13812345678" not in bytes(row["phone"])
    assert Case.objects.get(id=case.id).defences == 1
    (entry,) = notes("defended")
    assert (
        entry["actor"]["kind"] == "concerned"
        and "138" not in str(entry["detail"])
        and len(entry["detail"]["photos"]) == 2
    )
    told = {"case": str(case.id), "number": case.number, "defence": filed.json["id"]}
    assert heard("evidence.defence_filed") == [told]
    (shown,) = staff.get(f"/api/v1/evidence/cases/{case.id}/defences")["items"]
    assert shown["text"] == text.strip() and shown["phone"] == "138****5678" and len(shown["photos"]) == 2
    photo = staff.call("GET", shown["photos"][0]["picture"])
    assert photo.data == picture("gold") and photo.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("text", ["", "太短了", "长" * 2001, "   \n  "])
def test_a_defence_has_ten_to_two_thousand_characters(person: Concerned, text: str):
    person.open()
    answer = person.defend(text)
    assert (answer.status_code, list(answer.json["fields"])) == (422, ["text"])
    assert Defence.objects.count() == 0


def test_what_is_no_photo_is_refused_and_nothing_is_kept(person: Concerned, case: Case):
    person.open()
    for bad in (b"<html><script>alert(1)</script></html>", b"", picture()[:200], b"GIF89a" + b"\0" * 50):
        assert person.defend("当时袋子已经破了，并不是乱扔。", picture(), bad).json["code"] == "unreadable_image"
    assert person.defend("当时袋子已经破了，并不是乱扔。", *[picture()] * 4).status_code == 422
    assert person.defend(phone="12").json["fields"].keys() == {"phone"}
    assert Defence.objects.count() == 0 and not Case.objects.get(id=case.id).defences


def test_a_defence_sent_twice_is_filed_once(person: Concerned, case: Case):
    person.open()
    first, again = (person.defend(key="phone-retries-1") for _ in range(2))
    assert first.json == again.json and (first.status_code, again.status_code) == (201, 201)
    other = person.defend("这是另一段完全不同的陈述申辩。", key="phone-retries-1")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert Defence.objects.count() == 1 and Case.objects.get(id=case.id).defences == 1 and len(notes("defended")) == 1


def test_a_defence_that_arrives_many_times_at_once_is_filed_once(district: District, person: Concerned, case: Case):
    person.open()
    token = person.client.get_cookie(COOKIE).value
    answers: list[tuple[int, str]] = []

    def send() -> None:
        again = Concerned(district.app.test_client(), person.code)
        again.client.set_cookie(COOKIE, token)
        answer = again.defend("当时袋子已经破了，并不是乱扔。", key="phone-retries-2")
        answers.append((answer.status_code, answer.json["id"]))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert answers == [(201, str(Defence.objects.get().id))] * 4
    assert Case.objects.get(id=case.id).defences == 1 and len(notes("defended")) == 1


def test_a_photo_is_named_in_its_own_district_alone(person: Concerned, case: Case):
    person.open()
    person.defend("当时袋子已经破了，并不是乱扔。", picture("gold"))
    kept = Defence.objects.get().photos[0].sha256
    assert photos_named("33", [kept, "0" * 64]) == {kept}
    assert photos_named("34", [kept]) == photos_named("3", [kept]) == set()


def test_after_the_time_limit_the_record_is_seen_and_nothing_more_is_taken(person: Concerned, case: Case):
    expire(case)
    person.open()
    assert person.record()["may_defend"] is False
    answer = person.defend()
    assert (answer.status_code, answer.json["code"]) == (409, "defence_closed")


def test_one_case_takes_so_many_defences_in_an_hour(person: Concerned, case: Case):
    person.open()
    statuses = [person.defend(f"第 {number} 次陈述申辩，情况如前所述。").status_code for number in range(6)]
    assert statuses == [201] * 5 + [429]


def test_an_upheld_defence_takes_the_case_back_to_review(person: Concerned, case: Case, staff, listening):
    person.open()
    person.defend(phone="13812345678")
    (defence,) = staff.get(f"/api/v1/evidence/cases/{case.id}/defences")["items"]
    here = f"/api/v1/evidence/cases/{case.id}/defences/{defence['id']}"
    given = {"answer": "经调取前一段录像，袋子确已破损。", "upheld": True}
    assert staff.call("POST", f"{here}/answer", json=given).status_code == 428
    answered = staff.call("POST", f"{here}/answer", json=given, etag=defence["etag"])
    assert answered.status_code == 200 and answered.json["answered_name"] == "测试"
    after = Case.objects.get(id=case.id)
    assert after.state == "waiting" and after.decisions[-1].verb == "reopen"
    (entry,) = notes("answered")
    assert entry["detail"] == {"number": case.number, "upheld": True, "reopened": True}
    assert [each["upheld"] for each in heard("evidence.defence_answered")] == [True]
    again = staff.call("POST", f"{here}/answer", json=given, etag=answered.json["etag"])
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    seen = person.record()
    assert seen["state"] == "waiting" and seen["defences"][0]["answer"] == given["answer"]


def test_a_defence_that_is_not_upheld_leaves_the_case(person: Concerned, case: Case, staff):
    person.open()
    person.defend()
    (defence,) = staff.get(f"/api/v1/evidence/cases/{case.id}/defences")["items"]
    here = f"/api/v1/evidence/cases/{case.id}/defences/{defence['id']}/answer"
    given = {"answer": "照片清楚，维持原认定。", "upheld": False}
    assert staff.call("POST", here, json=given, etag="0" * 24 + "-1").status_code == 412
    assert staff.call("POST", here, json=given, etag=defence["etag"]).status_code == 200
    assert Case.objects.get(id=case.id).state == "confirmed"
    assert person.record()["defences"][0]["upheld"] is False


def test_the_phone_is_shown_for_a_purpose_and_that_is_recorded(person: Concerned, case: Case, staff):
    person.open()
    person.defend(phone="13812345678")
    (defence,) = staff.get(f"/api/v1/evidence/cases/{case.id}/defences")["items"]
    here = f"/api/v1/evidence/cases/{case.id}/defences/{defence['id']}/phone"
    assert staff.call("GET", here).json["code"] == "purpose_required"
    assert notes("revealed") == []
    assert staff.get(here, purpose="核实申辩") == {"phone": "13812345678"}
    (entry,) = notes("revealed")
    assert entry["purpose"] == "核实申辩" and "138" not in str(entry["detail"])


@pytest.mark.parametrize(
    ("who", "area"), [("street_staff", "33/332"), ("community_staff", EAST_ONE), ("resident", EAST_ONE)]
)
def test_who_does_not_review_there_sees_neither_notice_nor_defence(district, person: Concerned, case: Case, who, area):
    person.open()
    person.defend()
    defence = Defence.objects.first()
    other = district.sign_in(who, area)
    for tail in ("notice", "defences", f"defences/{defence.id}/phone?purpose=x", f"defences/{defence.id}/photos/0"):
        assert other.call("GET", f"/api/v1/evidence/cases/{case.id}/{tail}").status_code in (403, 404)


def test_when_retention_ends_what_was_said_goes_too(person: Concerned, case: Case, staff):
    from plugins.evidence.retention.deletion import delete_expired

    person.open()
    person.defend("当时袋子已经破了，并不是乱扔。", picture("gold"), phone="13812345678")
    Case._get_collection().update_one({"_id": case.id}, {"$set": {"delete_after": utcnow() - timedelta(days=1)}})
    assert delete_expired() == 1
    row = Defence._get_collection().find_one({})
    assert not {"text", "phone", "photos"} & set(row)
    assert person.client.get(f"{API}/record").status_code == 401
    assert person.open().json["code"] == "notice_code_wrong"
