"""Points are given by events, once each, by the rules of the day; whatever is corrected is an opposite entry."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

from backend.events import deliver_due
from backend.jobs import run_worker
from backend.plugin_api import atomically, publish
from backend.storage import database, utcnow
from plugins.ranking.ledger.hearing import hear
from tests.district import EAST_ONE, WEST, no_id
from tests.ranking.conftest import CHARGES, ENTRIES, HOME, Ground, case, finding, months, order, photo, summed


def test_a_confirmed_case_is_a_deduction_that_names_rule_edition_event_and_evidence(ground: Ground) -> None:
    told = case(penalty=True)
    hear(told)
    [entry] = ground.chief.get(ENTRIES)["items"]
    assert (entry["compound"], entry["area"], entry["seq"], entry["points"]) == ("C1", HOME, 1, -1)
    assert (entry["rule"], entry["edition"], entry["kind"]) == ("Q01", 1, "booked")
    assert (entry["event"], entry["number"]) == (told.id, "AJ33-2026-000001")
    assert entry["link"] == f"/evidence/review#{told.payload['case']}"
    # The company reads what and why, and gets no way to pictures that it may not see.
    [seen] = ground.manager.get(ENTRIES)["items"]
    assert seen["number"] == entry["number"] and seen["link"] is None


def test_what_is_told_again_changes_nothing(ground: Ground) -> None:
    told = [case(), finding(), order()]
    for each in (*told, *told, *reversed(told)):
        hear(each)
    assert len(ground.entries()) == 3 and ground.balance() == -100 - 200 - 50
    assert [row["seq"] for row in ground.entries()] == [1, 2, 3]


def test_what_happens_above_a_compound_or_went_into_another_order_is_nobodys(ground: Ground) -> None:
    hear(case(area=EAST_ONE))
    hear(order(into="PD33-2026-000009"))
    hear(finding(outcome="suspicious"))
    assert ground.entries() == []


def test_a_case_that_is_reopened_and_confirmed_again_counts_once(ground: Ground) -> None:
    now = utcnow()
    about = {"case": str(no_id())}
    hear(case(at=now, **about))
    hear(case("reopened", at=now + timedelta(minutes=1), **about))
    assert [row["points"] for row in ground.entries()] == [-100, 100]
    [charge] = ground.charges()
    assert (charge["state"], charge["why"], charge["net"]) == ("withdrawn", "案件重新复核", 0)
    hear(case(at=now + timedelta(minutes=2), violation="waste_on_ground", **about))
    assert ground.balance() == -50
    hear(case("rejected", at=now + timedelta(minutes=3), **about))
    assert ground.balance() == 0 and len(ground.entries()) == 4
    # The past stays as it was written.
    assert [row["points"] for row in ground.entries()] == [-100, 100, -50, 50]


def test_caps_hold_and_what_is_taken_back_makes_room(ground: Ground) -> None:
    start = utcnow() - timedelta(hours=1)
    told = [case(at=start + timedelta(seconds=n)) for n in range(5)]
    for each in told:
        hear(each)
    # Three points a day are the most for mixed waste.
    assert ground.balance() == -300
    assert [each["net"] for each in ground.charges()] == [0, 0, -1, -1, -1]
    assert [each["capped"] for each in ground.charges()] == [True, True, False, False, False]
    hear(case("reopened", case=told[0].payload["case"]))
    assert ground.balance() == -300
    assert [each["net"] for each in ground.charges()] == [0, -1, -1, -1, 0]


def test_a_company_answers_for_its_own_work_alone(ground: Ground) -> None:
    late = {"on_time": False, "rework": 1, "kind": "E09"}
    hear(order(handler_organisation=str(no_id()), **late))
    assert ground.balance() == 0
    hear(order(handler_organisation=str(ground.company), **late))
    assert {row["rule"] for row in ground.entries()} == {"P02", "P03"} and ground.balance() == -100


def test_two_workers_with_a_case_and_its_end_leave_what_came_last(ground: Ground) -> None:
    now = utcnow()
    for n in range(4):
        about = {"case": str(no_id())}
        given = case(at=now + timedelta(seconds=n), **about)
        taken = case("reopened", at=now + timedelta(seconds=n, milliseconds=1), **about)
        workers = [Thread(target=hear, args=(each,)) for each in (given, taken)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
    assert ground.balance() == 0
    assert [row["seq"] for row in ground.entries()] == list(range(1, len(ground.entries()) + 1))


def test_the_real_way_from_an_event_to_the_message_of_the_company(ground: Ground) -> None:
    told = case()
    atomically(lambda: publish(told.name, told.payload, area=HOME))
    for _ in range(3):
        deliver_due()
        run_worker(["default", "outbound"], burst=True)
    assert ground.balance() == -100
    [message] = ground.manager.get("/api/v1/messages")["items"]
    assert message["title"] == "小区考核扣分" and "阳光花园因“混投垃圾（已取证）”" in message["text"]
    assert message["href"] == f"/ranking/charges#{ground.charges()[0]['id']}"


def test_points_by_hand_need_a_reason_a_photo_and_a_rule_for_it(ground: Ground) -> None:
    assert ground.enter(ground.street, reason="  ").status_code == 422
    missing = ground.enter(ground.street)
    assert (missing.status_code, missing.json["code"]) == (422, "photo_missing")
    wrong = ground.enter(ground.street, photo(), rule="Q01")
    assert (wrong.status_code, wrong.json["code"]) == (422, "rule_unknown")
    old = ground.enter(ground.street, photo(), occurred_at=(utcnow() - timedelta(days=40)).isoformat())
    assert old.status_code == 422 and "occurred_at" in old.json["fields"]
    assert ground.enter(ground.community, photo()).status_code == 403
    abroad = ground.district.sign_in("street_staff", WEST)
    assert ground.enter(abroad, photo()).status_code == 403
    assert ground.entries() == []
    answer = ground.enter(ground.street, photo(), key="0123456789", reason="地面脏")
    assert answer.status_code == 201, answer.text
    charge = answer.json
    assert (charge["net"], charge["source"], charge["given_name"]) == (-1, "manual", "测试")
    assert ground.manager.call("GET", charge["photos"][0]).mimetype == "image/jpeg"


def test_who_entered_points_takes_them_back_and_nothing_is_erased(ground: Ground) -> None:
    charge = ground.enter(ground.street, photo()).json
    where = f"{CHARGES}/{charge['id']}/annul"
    refused = ground.manager.call("POST", where, json={"reason": "不服"}, etag=charge["etag"])
    assert refused.status_code == 403
    assert ground.street.call("POST", where, json={"reason": "录入有误"}).status_code == 428
    done = ground.street.call("POST", where, json={"reason": "录入有误"}, etag=charge["etag"])
    assert done.status_code == 200, done.text
    assert [each["points"] for each in done.json["entries"]] == [-1, 1]
    assert (done.json["state"], done.json["why"]) == ("annulled", "录入有误")
    again = ground.street.call("POST", where, json={"reason": "录入有误"}, etag=done.json["etag"])
    assert again.status_code == 409


def test_each_sees_the_own_area_or_the_own_compounds(ground: Ground) -> None:
    hear(case())
    ground.chief.add("compounds", **{"code": "C2", "name": "绿苑", "area_code": "33201", "address": "一路 1 号",
                                      "longitude": 120.2, "latitude": 30.2})  # fmt: skip
    hear(case(area="33/332/33201/C2", number="AJ33-2026-000002"))
    assert len(ground.charges()) == 2
    assert [each["compound"] for each in ground.charges(ground.street)] == ["C1"]
    assert [each["compound"] for each in ground.charges(ground.manager)] == ["C1"]
    abroad = ground.district.sign_in("street_staff", WEST)
    [other] = ground.charges(abroad)
    assert other["compound_name"] == "绿苑"
    assert ground.street.call("GET", f"{CHARGES}/{other['id']}").status_code == 404
    ground.chief.add("property-companies", code="P2", name="别家物业", area_code="33")
    company = database()["organisations"].find_one({"name": "别家物业"})["_id"]
    stranger = ground.district.sign_in("property_staff", organisation=company)
    assert ground.charges(stranger) == []
    assert ground.district.sign_in("resident").call("GET", CHARGES).status_code == 403


def test_charges_and_entries_are_searched_and_exported(ground: Ground) -> None:
    hear(case())
    hear(finding(note="有异味"))
    assert [each["rule"] for each in ground.charges(source="finding")] == ["X01"]
    assert len(ground.charges(deducted=True, number="AJ33")) == 1
    first = ground.chief.get(CHARGES, limit=1)
    second = ground.chief.get(CHARGES, limit=1, cursor=first["next_cursor"])
    assert {each["id"] for each in (*first["items"], *second["items"])} == {each["id"] for each in ground.charges()}
    for address in (CHARGES, ENTRIES):
        table = ground.chief.call("GET", f"{address}/export", query_string={"format": "csv"})
        text = table.data.decode("utf-8-sig")
        assert "阳光花园" in text and "-1" in text and "垃圾桶未满溢：有异味" in text
        sheet = ground.chief.call("GET", f"{address}/export")
        assert sheet.status_code == 200 and sheet.data.startswith(b"PK")
    assert ground.manager.call("GET", f"{ENTRIES}/export").status_code == 403
    kept = ground.chief.call(
        "POST", "/api/v1/saved-filters", json={"list": "assessment-charges", "name": "巡检", "query": {"rule": "X01"}}
    )
    assert kept.status_code == 201


def test_the_statement_of_a_month_and_the_balances_agree_with_the_ledger(ground: Ground) -> None:
    last_month = (utcnow() + timedelta(hours=8)).replace(day=1, hour=3) - timedelta(days=2)
    told = case(at=last_month)
    for each in (told, finding(at=last_month, points=1.5), case(), told):
        hear(each)
    # What is known later belongs to the month in which it happened.
    hear(case("reopened", case=told.payload["case"]))
    assert months() == summed()
    month = f"{last_month:%Y-%m}"
    seen = ground.manager.get("/api/v1/assessment-statements", compound="C1", month=month)
    assert (seen["points"], seen["standing"], seen["compound_name"]) == (-1.5, 1, "阳光花园")
    assert [each["points"] for each in seen["lines"]].count(1) == 1 and all(
        each["after_month"] for each in seen["lines"]
    )
    assert {each["rule"]: each["points"] for each in seen["rules"]} == {"X01": -1.5, "Q01": 0}
    [balance] = ground.street.get("/api/v1/assessment-statements/balances", month=month)["items"]
    assert (balance["compound"], balance["points"], balance["standing"]) == ("C1", -1.5, 1)
    file = ground.manager.call(
        "GET", "/api/v1/assessment-statements/export", query_string={"compound": "C1", "month": month, "format": "csv"}
    )
    assert file.status_code == 200 and len(file.data.decode("utf-8-sig").splitlines()) == 4
    nobody = ground.district.sign_in("street_staff", WEST)
    hidden = nobody.call("GET", "/api/v1/assessment-statements", query_string={"compound": "C1", "month": month})
    assert hidden.status_code == 404
    assert database()["ranking_books"].find_one({"_id": "C1"})["last"] == len(ground.entries())
