"""Who is behind a report: asked for with a reason by one, opened once by a custodian, and both stay written."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from backend.protection import audit
from backend.storage import database
from tests.district import DISTRICT, EAST, EAST_ONE, WEST, Caller, District
from tests.evidence.conftest import ledger, report
from tests.vision import weights


@dataclass
class Asked:
    """A resident's report and a request to learn who sent it."""

    district: District
    staff: Caller
    resident: Caller
    capture: str
    address: str
    request: dict[str, str]

    def answer(self, by: Caller, verb: str, etag: str = "", reason: str = "行政复议需要") -> TestResponse:
        """Open or refuse the request."""
        address = f"{self.address}/{self.request['id']}/{verb}"
        return by.call("POST", address, json={"reason": reason}, etag=etag or self.request["etag"])


@pytest.fixture
def asked(district: District) -> Asked:
    """Let a resident report and a reviewer ask."""
    staff = district.sign_in()
    district.furnish(staff)
    resident = district.sign_in("resident", f"{EAST_ONE}/C1", phone="13955556666")
    capture = report(resident, weights.coffee()).json["id"]
    address = f"/api/v1/evidence/captures/{capture}/reporter-requests"
    made = staff.call("POST", address, json={"reason": "举报人可能受到报复"}, headers={"Idempotency-Key": "ask-once-1"})
    assert made.status_code == 201, made.text
    again = staff.call(
        "POST", address, json={"reason": "举报人可能受到报复"}, headers={"Idempotency-Key": "ask-once-1"}
    )
    assert again.json == made.json
    return Asked(district, staff, resident, capture, address, made.json)


def test_a_custodian_opens_it_once_and_both_steps_stay_written(asked: Asked) -> None:
    custodian = asked.district.sign_in("administrator", DISTRICT)
    [seen] = custodian.get("/api/v1/evidence/reporter-requests")["items"]
    assert (seen["reason"], seen["state_title"], seen["id"]) == (
        "举报人可能受到报复",
        "待保管人处理",
        asked.request["id"],
    )
    opened = asked.answer(custodian, "open")
    assert opened.status_code == 200, opened.text
    assert opened.json == {
        "id": str(asked.resident.user.id),
        "name": "测试",
        "phone": "13955556666",
        "address": "127.0.0.1",
    }
    [seen] = asked.staff.get(asked.address)["items"]
    assert (seen["state"], seen["answer"]) == ("opened", "行政复议需要") and "13955556666" not in str(seen)
    again = asked.answer(custodian, "open", etag=seen["etag"])
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    [wanted], [given] = ledger("reporter_requested", asked.capture), ledger("reporter_opened", asked.capture)
    assert (wanted["actor"]["id"], wanted["purpose"]) == (str(asked.staff.user.id), "举报人可能受到报复")
    assert (given["actor"]["id"], given["purpose"]) == (str(custodian.user.id), "行政复议需要")
    actions = [entry.action for entry in audit.history("evidence.capture", asked.capture)]
    assert actions[:2] == ["evidence.reporter.reveal", "evidence.reporter.request"]
    assert "13955556666" not in str([*database()["audit_entries"].find(), *ledger()])


def test_nobody_opens_what_he_asked_for_himself_or_without_being_a_custodian(asked: Asked) -> None:
    for person in (asked.staff, asked.district.sign_in("enforcement_officer", DISTRICT), asked.resident):
        assert asked.answer(person, "open").status_code == 403
    custodian = asked.district.sign_in("administrator", DISTRICT)
    own = custodian.call("POST", asked.address, json={"reason": "想看看"})
    assert own.status_code == 201
    own_way = f"{asked.address}/{own.json['id']}/open"
    assert custodian.call("POST", own_way, json={"reason": "想看看"}, etag=own.json["etag"]).status_code == 403
    elsewhere = asked.district.sign_in("administrator", WEST)
    assert asked.answer(elsewhere, "open").status_code == 404
    assert asked.answer(custodian, "open", reason="").status_code == 422
    missing = custodian.call("POST", f"{asked.address}/{asked.request['id']}/open", json={"reason": "需要"})
    assert missing.status_code == 428
    assert not ledger("reporter_opened")


def test_a_request_can_be_refused_and_opens_nothing_then(asked: Asked) -> None:
    custodian = asked.district.sign_in("administrator", DISTRICT)
    refused = asked.answer(custodian, "refuse", reason="理由不充分")
    assert (refused.status_code, refused.json["state"]) == (200, "refused")
    assert asked.answer(custodian, "open").status_code == 412
    assert asked.answer(custodian, "open", etag=refused.json["etag"]).status_code == 409
    assert asked.staff.get(asked.address)["items"][0]["answer"] == "理由不充分"
    assert not ledger("reporter_opened")


def test_requests_are_seen_where_one_reviews_or_keeps(asked: Asked) -> None:
    for user_type, area, count in (("street_staff", EAST, 1), ("street_staff", WEST, 0), ("administrator", WEST, 0)):
        person = asked.district.sign_in(user_type, area)
        assert len(person.get("/api/v1/evidence/reporter-requests")["items"]) == count, (user_type, area)
    assert asked.resident.call("GET", asked.address).status_code == 403
    assert (
        asked.district.sign_in("street_staff", WEST).call("POST", asked.address, json={"reason": "好奇"}).status_code
        == 404
    )


def test_there_is_nobody_behind_what_staff_or_a_device_sent(asked: Asked) -> None:
    capture = report(asked.district.sign_in("supervisor", EAST), weights.coffee()).json["id"]
    address = f"/api/v1/evidence/captures/{capture}/reporter-requests"
    answer = asked.staff.call("POST", address, json={"reason": "想知道"})
    assert (answer.status_code, answer.json["code"]) == (409, "no_reporter")
