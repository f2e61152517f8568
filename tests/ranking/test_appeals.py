"""Who was given a deduction may say why it is wrong, in time; somebody else decides, and points come back at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.events import deliver_due
from backend.jobs import run_worker
from backend.plugin_api import LOCAL_ZONE, Actor, acting, atomically, audit
from backend.storage import database, utcnow
from plugins.ranking.ledger.hearing import hear
from tests.ranking.conftest import APPEALS, HOME, Ground, case, months, photo, summed

#: Whatever is done here, the figures of the cockpit follow.
pytestmark = pytest.mark.usefixtures("exact")


def test_a_company_appeals_with_photos_and_the_street_upholds_it(ground: Ground) -> None:
    charge = ground.deducted()
    assert (
        ground.charge(ground.manager, charge)["may_appeal"] and not ground.charge(ground.street, charge)["may_appeal"]
    )
    filed = ground.appeal(ground.manager, charge, "当日已整改", photo())
    assert filed.status_code == 201, filed.text
    appeal = filed.json
    assert (appeal["state"], appeal["points"], appeal["may_decide"]) == ("filed", -1, False)
    assert ground.street.call("GET", appeal["photos"][0]).mimetype == "image/jpeg"
    assert [each["appeal_title"] for each in ground.charges(appeal="filed")] == ["申诉待裁决"]
    assert ground.decide(ground.manager, appeal, "uphold").status_code == 403
    assert ground.decide(ground.community, appeal, "uphold").status_code == 403
    done = ground.decide(ground.street, appeal, "uphold", "证据不足，予以冲销")
    assert done.status_code == 200, done.text
    assert (done.json["state"], done.json["decided_name"]) == ("upheld", "测试")
    assert [row["points"] for row in ground.entries()] == [-100, 100]
    after = ground.charge(ground.manager, charge)
    assert (after["state"], after["net"], after["why"]) == ("annulled", 0, "申诉成立：证据不足，予以冲销")
    assert ground.decide(ground.chief, done.json, "refuse").status_code == 409
    assert months() == summed()


def test_one_that_is_refused_leaves_the_points_and_is_the_last_word(ground: Ground) -> None:
    charge = ground.deducted()
    appeal = ground.appeal(ground.community, charge).json
    assert ground.appeal(ground.community, charge).json["id"] == appeal["id"]
    other = ground.appeal(ground.manager, charge)
    assert (other.status_code, other.json["code"]) == (409, "appeal_exists")
    assert ground.decide(ground.chief, appeal, "refuse").json["state"] == "refused"
    assert ground.balance() == -100
    assert ground.decide(ground.street, appeal, "uphold").status_code == 412


def test_nobody_decides_on_points_that_he_gave_or_an_appeal_that_he_filed(ground: Ground) -> None:
    entered = ground.enter(ground.street, photo()).json
    appeal = ground.appeal(ground.manager, entered).json
    own = ground.decide(ground.street, appeal, "refuse")
    assert (own.status_code, own.json["code"]) == (403, "own_decision")
    assert not ground.street.get(f"{APPEALS}/{appeal['id']}")["may_decide"]
    assert ground.decide(ground.chief, appeal, "refuse").status_code == 200
    # Who judged the case is known from its trail.
    told = case(number="AJ33-2026-000002")
    me = Actor(id=str(ground.street.user.id), name="测试", kind="person")
    where = {"subject": "evidence.case", "subject_id": told.payload["case"], "area": HOME}
    with acting(me):
        atomically(lambda: audit.record("evidence.case.decide", **where, detail={"verb": "confirm"}))
    hear(told)
    [charge] = ground.charges(number="AJ33-2026-000002")
    appeal = ground.appeal(ground.manager, charge).json
    assert ground.decide(ground.street, appeal, "uphold").json["code"] == "own_decision"
    colleague = ground.district.sign_in("street_staff", "33/331")
    assert ground.decide(colleague, appeal, "uphold").status_code == 200


def test_there_is_a_limit_in_working_days(ground: Ground) -> None:
    charge = ground.deducted()
    until = datetime.fromisoformat(charge["appeal_by"]).astimezone(LOCAL_ZONE)
    # Five working days span a weekend.
    assert timedelta(days=5) < until - utcnow() < timedelta(days=16) and until.hour == 23
    past = {"$set": {"appeal_by": utcnow() - timedelta(seconds=1)}}
    database()["ranking_charges"].update_one({}, past)
    late = ground.appeal(ground.manager, charge)
    assert (late.status_code, late.json["code"]) == (409, "appeal_too_late")
    assert not ground.charges(appealable=True)


def test_what_costs_nothing_needs_no_appeal(ground: Ground) -> None:
    bonus = ground.enter(ground.street, photo(), rule="M09").json
    assert bonus["net"] == 1
    refused = ground.appeal(ground.manager, bonus)
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_to_appeal")


def test_an_appeal_is_taken_back_or_ends_with_its_deduction(ground: Ground) -> None:
    told = [case(number=f"AJ33-2026-00000{n}") for n in range(2)]
    for each in told:
        hear(each)
    taken, lapsing = (ground.appeal(ground.manager, each).json for each in ground.charges())
    where = f"{APPEALS}/{taken['id']}/withdrawal"
    assert ground.manager.call("POST", where, etag=taken["etag"]).json["state"] == "withdrawn"
    ended = next(each for each in told if each.payload["number"] == lapsing["number"])
    hear(case("rejected", at=utcnow() + timedelta(seconds=1), case=ended.payload["case"]))
    now = ground.street.get(f"{APPEALS}/{lapsing['id']}")
    assert (now["state"], now["may_decide"]) == ("lapsed", False)
    assert ground.balance() == -100
    assert [each["state"] for each in ground.street.get(APPEALS, state="withdrawn")["items"]] == ["withdrawn"]


def test_upholding_makes_room_under_a_cap_for_what_did_not_count(ground: Ground) -> None:
    for n in range(4):
        hear(case(at=utcnow() + timedelta(seconds=n), number=f"AJ33-2026-00000{n}"))
    assert ground.balance() == -300
    [first] = ground.charges(number="AJ33-2026-000000")
    appeal = ground.appeal(ground.manager, first).json
    ground.decide(ground.street, appeal, "uphold")
    assert ground.balance() == -300 and ground.charges(number="AJ33-2026-000003")[0]["net"] == -1


def test_who_has_to_know_reads_of_it(ground: Ground) -> None:
    appeal = ground.appeal(ground.manager, ground.deducted()).json
    ground.decide(ground.street, appeal, "uphold", "现场已整改")
    for _ in range(3):
        deliver_due()
        run_worker(["default", "outbound"], burst=True)
    titles = {each["title"] for each in ground.manager.get("/api/v1/messages")["items"]}
    assert titles == {"小区考核扣分", "扣分申诉结果"}
    [asked] = ground.street.get("/api/v1/messages")["items"]
    assert asked["title"] == "扣分申诉待裁决" and "阳光花园" in asked["text"]
