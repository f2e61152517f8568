"""What people report: under their account, or under a pseudonym that leads back to nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bson import json_util

from backend.protection import audit
from backend.storage import database
from plugins.evidence.captures.models import pseudonym
from tests.district import DISTRICT, EAST, EAST_ONE, WEST, Caller, District
from tests.evidence.conftest import ledger, report
from tests.vision import weights

NAME, PHONE = "欧阳举报人甲", "13955556666"


@pytest.fixture
def staff(district: District) -> Caller:
    """Furnish the district."""
    staff = district.sign_in()
    district.furnish(staff)
    return staff


@pytest.fixture
def resident(district: District, staff: Caller) -> Caller:
    """Sign in a resident with a name and a phone number."""
    person = district.sign_in("resident", f"{EAST_ONE}/C1", phone=PHONE)
    person.user.name = NAME
    person.user.save()
    return person


def test_staff_report_under_their_account(district: District, staff: Caller) -> None:
    supervisor = district.sign_in("supervisor", EAST)
    answer = report(supervisor, weights.coffee(), note="桶外有三袋垃圾")
    assert answer.status_code == 202, answer.text
    row = database()["evidence_captures"].find_one({})
    assert row is not None
    assert (row["source"], row["sender"], row["point"]) == ("staff", str(supervisor.user.id), "T1")
    assert "reporter" not in row and row["clock_offset"] == 0
    [entry] = ledger("taken_in", answer.json["id"])
    assert (entry["actor"]["id"], entry["actor"]["kind"]) == (str(supervisor.user.id), "person")
    shown = staff.get("/api/v1/evidence/captures", source="staff")["items"][0]
    assert (shown["device"], shown["device_name"]) == (None, "现场人员")
    assert staff.get(f"/api/v1/evidence/captures/{answer.json['id']}")["note"] == "桶外有三袋垃圾"
    assert database()["events"].count_documents({"name": "evidence.captured"}) == 1


def test_who_a_resident_is_stands_nowhere_but_sealed(district: District, resident: Caller, staff: Caller) -> None:
    answer = report(resident, weights.coffee(), key="report-key-1", note="有人混投")
    assert answer.status_code == 202, answer.text
    capture = answer.json["id"]
    row = database()["evidence_captures"].find_one({})
    assert row is not None and (row["source"], row["sender"]) == ("resident", pseudonym(str(resident.user.id)))
    own = (NAME, PHONE, str(resident.user.id), resident.user.account)
    about = ("users", "sessions", "login_attempts", "roles", "blobs", "idempotent_answers")
    names = [name for name in database().list_collection_names() if name not in about]
    assert "evidence_captures" in names and "audit_entries" in names and "evidence_ledger" in names
    # What the account itself did before (it signed in) is told of it; what comes after may tell of the report alone.
    told = json_util.dumps({name: list(database()[name].find()) for name in names if name != "audit_entries"})
    told += json_util.dumps(list(database()["audit_entries"].find({"subject_id": capture})))
    assert [each for each in own if each in told] == []
    [entry] = ledger("taken_in", capture)
    actor = entry["actor"]
    assert (actor["name"], actor["kind"], actor["address"]) == ("举报人", "resident", "")
    [trace] = audit.history("evidence.capture", capture)
    assert (trace.actor.name, trace.actor.id) == ("举报人", row["sender"])
    officer = district.sign_in("enforcement_officer", DISTRICT)
    for person in (staff, officer):
        seen = json.dumps([person.get(f"/api/v1/evidence/captures/{capture}"), person.get("/api/v1/evidence/captures")])
        assert [each for each in own if each in seen] == []


def test_the_resident_sees_the_own_reports_alone(district: District, resident: Caller) -> None:
    other = district.sign_in("resident", EAST_ONE)
    first = report(resident, weights.coffee(), note="第一次").json["id"]
    report(other, weights.coffee())
    second = report(resident, weights.cat(), violation="overflow").json["id"]
    items = resident.get("/api/v1/evidence/my-reports")["items"]
    assert [(item["id"], item["violation_title"], item["state"]) for item in items] == [
        (second, "满溢", "已收到，正在处理"),
        (first, "混投垃圾", "已收到，正在处理"),
    ]
    assert "thumbnail" not in items[0] and items[1]["note"] == "第一次"
    page = resident.get("/api/v1/evidence/my-reports", limit=1)
    assert resident.get("/api/v1/evidence/my-reports", limit=1, cursor=page["next_cursor"])["items"] == [items[1]]
    assert resident.call("GET", "/api/v1/evidence/captures").status_code == 403
    assert district.anyone("GET", "/api/v1/evidence/my-reports").status_code == 401


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("waiting", "正在复核"),
        ("confirmed", "已核实"),
        ("received", "已核实，已移送执法部门"),
        ("rejected", "经复核，未认定为违规"),
    ],
)
def test_the_state_is_told_in_plain_words(resident: Caller, case: str, words: str) -> None:
    report(resident, weights.coffee())
    made = database()["evidence_cases"].insert_one({"number": "案 1", "state": case}).inserted_id
    database()["evidence_captures"].update_one({}, {"$set": {"case": made}})
    assert resident.get("/api/v1/evidence/my-reports")["items"][0]["state"] == words


def test_a_report_sent_again_with_its_key_is_one_report(resident: Caller) -> None:
    first, again = (report(resident, weights.coffee(), key="the-same-key") for _ in range(2))
    assert first.status_code == again.status_code == 202 and first.json == again.json
    database()["idempotent_answers"].delete_many({})  # the process died before the answer was kept
    assert report(resident, weights.coffee(), key="the-same-key").json["id"] == first.json["id"]
    database()["idempotent_answers"].delete_many({})
    other = report(resident, weights.cat(), key="the-same-key")
    assert (other.status_code, other.json["code"]) == (409, "event_id_reused")
    assert len(ledger("taken_in")) == database()["evidence_captures"].count_documents({}) == 1
    assert report(resident, weights.coffee()).json["id"] != report(resident, weights.coffee()).json["id"]


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"point": "T404"}, 422, "unknown_point"),
        ({"point": None}, 422, "invalid"),
        ({"longitude": 120.101, "latitude": 30.271}, 422, "invalid"),
        ({"point": None, "longitude": 120.101}, 422, "invalid"),
        ({"point": None, "longitude": 120.2, "latitude": 30.2}, 422, "no_point_near"),
        ({"point": None, "longitude": 999, "latitude": 30.2}, 422, "invalid"),
        ({"violation": "murder"}, 422, "invalid"),
        ({"violation": {"$gt": ""}}, 422, "invalid"),
        ({"note": "长" * 501}, 422, "invalid"),
        ({"device_time": "2020-01-01T00:00:00+08:00"}, 422, "device_time_too_old"),
        ({"device_time": "2999-01-01T00:00:00+08:00"}, 422, "device_time_in_future"),
        ({"clip_upload": "0" * 24}, 404, "not_found"),
        ({"clip_upload": "../../etc/passwd"}, 404, "not_found"),
        ({"reporter": "我"}, 422, "invalid"),
    ],
)
def test_bad_reports_are_refused_and_leave_nothing(
    resident: Caller, told: dict[str, Any], status: int, code: str
) -> None:
    answer = report(resident, weights.coffee(), **told)
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert not any(database()[name].count_documents({}) for name in ("evidence_captures", "evidence_ledger_waiting"))


def test_a_report_shows_something(resident: Caller) -> None:
    assert report(resident).status_code == 422
    assert report(resident, b"<html></html>").json["code"] == "unreadable_image"
    assert report(resident, *[weights.coffee()] * 10).status_code == 422


def test_a_place_near_a_point_is_that_point(resident: Caller) -> None:
    answer = report(resident, weights.coffee(), point=None, longitude=120.1011, latitude=30.2711)
    assert answer.status_code == 202, answer.text
    row = database()["evidence_captures"].find_one({})
    assert row is not None and (row["point"], row["area"]) == ("T1", f"{EAST_ONE}/C1")


def test_nobody_reports_from_where_he_has_nothing_to_do(district: District, staff: Caller) -> None:
    for user_type, area, expected in (
        ("resident", WEST, 403),
        ("supervisor", WEST, 403),
        ("vendor", EAST, 403),
        ("volunteer", EAST, 202),
    ):
        answer = report(district.sign_in(user_type, area), weights.coffee())
        assert answer.status_code == expected, (user_type, answer.text)
    [row] = database()["evidence_captures"].find()
    assert row["source"] == "resident"
