"""Plans, rounds, and what a supervisor does on one, through the API."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from bson import ObjectId

from backend import settings as settings_module
from backend.plugin_api import LOCAL_ZONE, View
from backend.rollups.recompute import recompute_dirty
from backend.storage import database, utcnow
from plugins.alerts.patrol.closing import watch
from plugins.alerts.patrol.generating import make_rounds
from plugins.alerts.patrol.panels import by_area, headline, rounds_of
from tests.alerts.conftest import same_time
from tests.district import EAST, EAST_ONE, EAST_TWO, WEST, WEST_ONE
from tests.patrol.conftest import ALL_DAY, API, C1, PLACES, Ground, moment, photo, told, work

#: Whatever is done here, the figures of the cockpit follow.
pytestmark = pytest.mark.usefixtures("exact")


def problem(result: dict) -> str:
    return str((result["problem"] or {}).get("code", ""))


def flags(result: dict) -> list[str]:
    return [each["code"] for each in result["flags"]]


def test_a_round_is_walked_and_becomes_a_report(ground: Ground) -> None:
    [first] = ground.rounds()
    assert [stop["point"] for stop in first["stops"]] == ["T1", "T2"] and first["state"] == "planned"
    picture = ground.upload()
    answers = [{"item": "T01", "ok": True}, {"item": "T02", "ok": False, "note": "三袋垃圾", "photos": [picture]}]
    results = ground.sent(
        ground.entry(ago=600, stay=120, answers=answers),
        ground.entry("report", ago=500, event="E03", note="桶外三袋", photos=[picture]),
        ground.entry(point="T2", ago=300, stay=60),
        ground.entry("finish", ago=10, note="已请物业清理。"),
    )
    assert [(each["outcome"], each["repeated"]) for each in results] == [("taken", False)] * 4
    assert results[1]["alert_number"]
    report = ground.report()
    assert (report["state_title"], report["done"], report["total"]) == ("已完成", 2, 2)
    assert (report["findings"], report["reports"], report["flagged"]) == (1, 1, 0)
    assert report["summary"] == "已请物业清理。" and len(report["check_ins"]) == 2
    [alert] = ground.community.get("/api/v1/alerts")["items"]
    assert (alert["number"], alert["source"], alert["point"]) == (results[1]["alert_number"], "patrol", "T1")
    [finding] = told("patrol.finding")
    assert {name: finding[name] for name in ("point", "area", "item", "points")} == {
        "point": "T1", "area": C1, "item": "T02", "points": 2.0,
    }  # fmt: skip
    assert [each["point"] for each in told("patrol.checked_in")] == ["T1", "T2"]
    assert [each["result"] for each in told("patrol.round_finished")] == ["finished"]
    shown = ground.community.call("GET", f"/api/v1/patrol-rounds/{ground.round}/photos/{picture}")
    assert shown.status_code == 200 and shown.data == photo()
    looks = [row["action"] for row in database()["audit_entries"].find({"action": "alerts.patrol_round.reveal"})]
    assert len(looks) == 1


def test_rounds_are_made_once_and_follow_their_plan(ground: Ground) -> None:
    rows = database()["patrol_rounds"]
    assert rows.count_documents({}) == 2 and make_rounds() == 0  # today and tomorrow
    changed = ground.chief.call(
        "PATCH", f"/api/v1/patrol-plans/{ground.plan['id']}", json={"points": ["T2"]}, etag=ground.plan["etag"]
    )
    assert changed.status_code == 200, changed.text
    work()  # the change asks for the job by itself
    assert {tuple(stop["point"] for stop in row["stops"]) for row in rows.find()} == {("T2",)}
    ground.check_in(point="T2")
    address = f"/api/v1/patrol-plans/{ground.plan['id']}/disable"
    off = ground.chief.call("POST", address, json={"reason": "小区改造"}, etag=changed.json["etag"])
    assert off.status_code == 200, off.text
    make_rounds()
    assert [row["state"] for row in rows.find()] == ["under_way"]  # what is begun stays


def test_a_plan_that_cannot_be_is_refused(ground: Ground) -> None:
    wrong: list[tuple[dict, str]] = [
        ({"area_code": "nowhere"}, "area_code"),
        ({"points": ["T1", "T9"]}, "points"),
        ({"points": ["T1", "T1"]}, "points"),
        ({"area_code": "33201"}, "points"),
        ({"weekdays": []}, "weekdays"),
        ({"windows": ["09:00-08:00"]}, "windows.0"),
        ({"windows": ["25:00-26:00"]}, "windows.0"),
        ({"windows": ["08:00-10:00", "09:30-11:00"]}, "windows"),
        ({"supervisor": "0" * 24}, "supervisor"),
        ({"supervisor": "x"}, "supervisor"),
    ]
    for values, field in wrong:
        plan = {"code": "XJ2", "name": "计划", "area_code": "C1", "points": ["T1"], **ALL_DAY, **values}
        answer = ground.chief.call("POST", "/api/v1/patrol-plans", json=plan)
        assert answer.status_code == 422 and field in answer.json["fields"], answer.text


def test_nobody_plans_or_sees_another_area(ground: Ground) -> None:
    west = ground.district.sign_in("street_staff", WEST)
    plan = {"code": "XJ2", "name": "计划", "area_code": "C1", "points": ["T1"], **ALL_DAY}
    assert west.call("POST", "/api/v1/patrol-plans", json=plan).status_code == 403
    stranger = ground.district.sign_in("supervisor", WEST_ONE)
    named = ground.chief.call("POST", "/api/v1/patrol-plans", json={**plan, "supervisor": str(stranger.user.id)})
    assert named.status_code == 422 and "supervisor" in named.json["fields"]
    assert west.get("/api/v1/patrol-rounds")["items"] == [] and ground.rounds(stranger) == []
    assert west.call("GET", f"/api/v1/patrol-rounds/{ground.round}").status_code == 404
    assert west.call("GET", "/api/v1/patrol-points/T1").status_code == 403
    assert west.call("GET", f"/alerts/patrol/codes?area={C1}").text.count("data:image") == 0
    assert ground.supervisor.call("GET", "/api/v1/patrol-rounds").status_code == 403
    assert problem(ground.check_in(by=stranger)) == "not_found"
    for_own = {"area": EAST_ONE}
    found = ground.community.get("/api/v1/patrol-points/supervisors", area=C1)["items"]
    assert [each["id"] for each in found] == [str(ground.supervisor.user.id)]
    assert west.call("GET", "/api/v1/patrol-points/supervisors", query_string=for_own).status_code == 403


def test_somebody_elses_round_is_refused_and_an_open_one_is_taken_once(ground: Ground) -> None:
    colleague = ground.district.sign_in("supervisor", EAST_ONE)
    assert problem(ground.check_in(by=colleague)) == "patrol_not_your_round"
    assert ground.rounds(colleague) == []
    ground.chief.add("patrol-plans", code="XJ2", name="未指派", area_code="C1", points=["T2"], **ALL_DAY)
    make_rounds()
    [open_to_all] = ground.rounds(colleague)
    assert open_to_all["supervisor"] is None
    both = (ground.supervisor, colleague)
    entries = [ground.entry(point="T2", round=open_to_all["id"]) for _ in both]
    with ThreadPoolExecutor(2) as pool:  # in the same moment
        results = list(pool.map(lambda each: ground.sent(each[0], by=each[1])[0], zip(entries, both, strict=True)))
    assert sorted(problem(each) for each in results) == ["", "patrol_not_your_round"]
    row = database()["patrol_rounds"].find_one({"_id": ObjectId(open_to_all["id"])})
    assert row["done"] == 1 and row["supervisor"] in {each.user.id for each in both}
    assert database()["patrol_check_ins"].count_documents({"supervisor": row["supervisor"]}) == 1


def test_plans_move_with_their_compound(ground: Ground) -> None:
    ground.check_in()
    [compound] = ground.chief.get("/api/v1/compounds")["items"]
    moved = ground.chief.call(
        "PATCH", f"/api/v1/compounds/{compound['id']}", json={"area_code": "33102"}, etag=compound["etag"]
    )
    assert moved.status_code == 200, moved.text
    work()
    [plan] = ground.chief.get("/api/v1/patrol-plans")["items"]
    assert plan["area"] == f"{EAST_TWO}/C1"
    areas = {row["state"]: row["area"] for row in database()["patrol_rounds"].find()}
    assert areas == {"under_way": C1, "planned": f"{EAST_TWO}/C1"}


def test_what_cannot_be_true_is_kept_and_counts_for_nothing(ground: Ground) -> None:
    untrue: list[tuple[dict, str]] = [
        ({"latitude": PLACES["T1"][1] + 0.027}, "patrol_too_far"),  # 3 km
        ({"latitude": PLACES["T1"][1] + 0.027, "accuracy": 900_000}, "patrol_too_far"),
        ({"ago": -3600, "stay": 0}, "patrol_from_future"),
        ({"ago": 60, "stay": 7200}, "patrol_from_future"),
        ({"ago": 60, "stay": -30}, "patrol_from_future"),
        ({"ago": 40 * 3600}, "patrol_window_closed"),
        ({"mock": True}, "patrol_mock_location"),
        ({"code": "0000-0000-0000-0000"}, "patrol_wrong_code"),
        ({"longitude": None, "latitude": None}, "patrol_place_unproven"),
    ]
    for values, code in untrue:
        entry = ground.entry(**values)
        [result] = ground.sent(entry)
        assert (result["outcome"], problem(result)) == ("refused", code) and result["problem"]["detail"]
        [again] = ground.sent(entry)
        assert again == {**result, "repeated": True}
    report = ground.report()
    assert (report["state"], report["done"], report["refused"]) == ("planned", 0, len(untrue))
    assert {each["problem"]["code"] for each in report["check_ins"]} == {code for _, code in untrue}
    assert told("patrol.checked_in") == []


def test_what_is_malformed_is_told_and_may_be_sent_again_put_right(ground: Ground) -> None:
    malformed: list[tuple[dict, str]] = [
        ({"point": "T2", "round": "f" * 24}, "not_found"),
        ({"answers": [{"item": "X99", "ok": True}]}, "patrol_unknown_item"),
        ({"answers": [{"item": "Z01", "ok": True, "photos": []}]}, "patrol_unknown_item"),
        ({"answers": [{"item": "T01", "ok": True}, {"item": "T01", "ok": False}]}, "patrol_photo_needed"),
        ({"answers": [{"item": "T01", "ok": True}] * 2}, "patrol_unknown_item"),
        ({"answers": [{"item": "T01", "ok": False}]}, "patrol_photo_needed"),
        ({"answers": [{"item": "T01", "ok": False, "photos": ["0" * 64]}]}, "patrol_photo_missing"),
        ({"at": "yesterday"}, "invalid"),
        ({"at": "1900-01-01T00:00:00Z"}, "invalid"),
        ({"latitude": 91}, "invalid"),
        ({"longitude": None}, "invalid"),
        ({"kind": "report"}, "invalid"),
        ({"colour": "red"}, "invalid"),
    ]
    for number, (values, code) in enumerate(malformed):
        entry = {name: value for name, value in {**ground.entry(ago=600), **values}.items() if value is not None}
        bad, after = ground.sent(entry, ground.entry(point="T2", ago=590 - 2 * number, stay=1))
        assert (problem(bad), bad["outcome"]) == (code, "refused"), values
        assert after["outcome"] == "suspicious"  # nothing is held up
        right = {**ground.entry(ago=589 - 2 * number, stay=1), "client_id": entry["client_id"]}
        assert ground.sent(right)[0]["outcome"] == "suspicious"
    assert ground.report()["done"] == 2


def test_bad_batches_are_problems(ground: Ground) -> None:
    for body in ({}, {"sent_at": "now", "entries": []}, {"sent_at": utcnow().isoformat(), "entries": []}):
        assert ground.supervisor.call("POST", f"{API}/batches", json=body).status_code == 422
    for strange in (7, [], "x", {"client_id": 5}):
        [result] = ground.sent(strange)  # type: ignore[arg-type]
        assert problem(result) == "invalid"
    assert ground.send(*[ground.entry(round="0" * 24)] * 51).status_code == 422
    assert ground.send(ground.entry(), by=ground.community).status_code == 403


def test_a_photo_of_somebody_else_cannot_be_named(ground: Ground) -> None:
    colleague = ground.district.sign_in("supervisor", EAST_ONE)
    ground.chief.add("patrol-plans", code="XJ2", name="二", area_code="C1", points=["T1"], **ALL_DAY)
    make_rounds()
    picture = ground.upload()
    [mine] = ground.rounds(colleague)
    entry = ground.entry(round=mine["id"], photos=[picture])
    assert problem(ground.sent(entry, by=colleague)[0]) == "patrol_photo_missing"
    other = f"/api/v1/patrol-rounds/{ground.round}/photos"
    assert ground.community.call("GET", f"{other}/{picture}").status_code == 404  # no check-in names it yet
    assert colleague.call("GET", f"{other}/{picture}").status_code == 404


def test_what_is_doubtful_counts_with_a_flag(ground: Ground) -> None:
    for values, flag in (({"stay": 3}, "short_dwell"), ({"accuracy": 300}, "poor_accuracy")):
        result = ground.check_in(**values)
        assert (result["outcome"], flags(result)) == ("suspicious", [flag])
    assert (ground.report()["done"], ground.report()["flagged"]) == (1, 1)
    found = ground.community.get("/api/v1/patrol-rounds", flagged=True)["items"]
    assert [each["id"] for each in found] == [ground.round]
    assert ground.check_in(ago=30, stay=25)["outcome"] == "taken"  # a better one at the same point counts instead
    assert (ground.report()["done"], ground.report()["flagged"]) == (1, 0)


def test_too_fast_from_point_to_point(ground: Ground) -> None:
    results = ground.sent(
        ground.entry(ago=100, stay=30, accuracy=5), ground.entry(point="T2", ago=65, stay=30, accuracy=5)
    )
    assert [flags(each) for each in results] == [[], ["too_fast"]]  # 330 m in 5 s
    assert ground.report()["doubts"] == "移动速度异常"


def test_the_clock_of_the_phone_is_put_right_and_doubted(ground: Ground) -> None:
    ground.phone = timedelta(hours=3)
    result = ground.check_in(ago=120, stay=60)
    assert flags(result) == ["clock_off"]
    [check_in] = ground.report()["check_ins"]
    assert same_time(check_in["at"], (utcnow() - timedelta(seconds=120)).isoformat())
    assert -10_801 < check_in["clock_offset"] < -10_799
    ground.phone = timedelta()
    assert "clock_jumped" in flags(ground.check_in(point="T2", ago=800))


def test_what_comes_later_than_allowed_is_doubtful(ground: Ground) -> None:
    chosen = settings_module.current()
    settings_module.configure(dataclasses.replace(chosen, patrol_offline_hours=0))
    assert flags(ground.check_in()) == ["late_upload"]


def test_a_code_proves_where_there_is_no_fix_and_is_replaced_when_it_leaks(ground: Ground) -> None:
    address = "/api/v1/patrol-points/T1"
    site = ground.community.get(address)
    asked = {"code_required": True, "radius": 30}
    site = ground.community.call("PATCH", address, json=asked, etag=site["etag"]).json
    [stop, _] = ground.rounds()[0]["stops"]
    assert (stop["code_required"], stop["radius"]) == (True, 30)
    assert flags(ground.check_in()) == ["no_code"]
    printed = "-".join(ground.code()[start : start + 4].lower() for start in range(0, 16, 4))
    assert ground.check_in(code=printed, code_way="qr", ago=50, stay=30)["outcome"] == "taken"
    alone = ground.check_in(code=ground.code(), longitude=None, latitude=None, ago=40, stay=30)
    assert flags(alone) == ["no_location"]
    assert problem(ground.check_in(code=ground.code("T2"))) == "patrol_wrong_code"

    stale = ground.community.call(
        "POST", f"{address}/replace-code", json={"reason": "被拍照外传"}, etag="0" * 24 + "-1"
    )
    assert stale.status_code == 412
    before = ground.entry(code=ground.code(), ago=30)
    done = ground.community.call("POST", f"{address}/replace-code", json={"reason": "被拍照外传"}, etag=site["etag"])
    assert done.status_code == 200 and done.json["round"] == 2
    assert ground.code("T1", 2) != ground.code("T1", 1)
    assert "old_code" in flags(ground.sent(before)[0])  # read before it was replaced, sent after
    later = ground.entry(code=ground.code(), ago=-20, stay=30)
    assert problem(ground.sent(later)[0]) == "patrol_wrong_code"
    sheet = ground.community.call("GET", f"/alerts/patrol/codes?area={EAST_ONE}").text
    assert ground.code("T1", 2)[:4] in sheet and ground.code("T1", 1)[:4] + " " not in sheet


def test_an_item_that_was_taken_out_meanwhile_is_still_taken(ground: Ground) -> None:
    items = {each["code"]: each for each in ground.chief.get("/api/v1/patrol-items", limit=200)["items"]}
    assert len(items) == 14
    item = items["T05"]
    address = f"/api/v1/patrol-items/{item['id']}/disable"
    assert ground.chief.call("POST", address, json={"reason": "不再检查"}, etag=item["etag"]).status_code == 200
    today = ground.supervisor.get(f"{API}/today")
    assert "T05" not in [each["code"] for each in today["checklists"]["drop_off_point"]]
    assert ground.check_in(answers=[{"item": "T05", "ok": True}])["outcome"] == "taken"
    kinds = today["kinds"]["drop_off_point"]
    assert kinds[0] == {"code": "E02", "name": "满溢"} and len(kinds) <= 6
    assert {"E10", "E12"} <= {each["code"] for each in today["kinds"]["station"]}


def test_a_report_is_one_alert_however_often_it_is_sent(ground: Ground) -> None:
    entry = ground.entry("report", event="E02", note="满了")
    first, second = ground.sent(entry), ground.sent(entry)
    assert first[0]["alert_number"] == second[0]["alert_number"] and second[0]["repeated"]
    assert problem(ground.sent(ground.entry("report", event="E99"))[0]) == "unknown_kind"
    [alert] = ground.community.get("/api/v1/alerts")["items"]
    assert alert["count"] == 1
    assert [each["kind_name"] for each in ground.report()["reported"]] == ["满溢"]


def test_what_is_about_to_be_missed_is_told_and_what_is_missed_may_still_turn_out_done(ground: Ground) -> None:
    [row] = database()["patrol_rounds"].find({"day": ground.rounds()[0]["day"]})
    watch(row["ends_at"] - timedelta(minutes=20))
    watch(row["ends_at"] - timedelta(minutes=10))
    work()
    [message] = ground.supervisor.get("/api/v1/messages")["items"]
    assert "还有 2 个点位没有打卡" in message["text"]
    watch(row["ends_at"] + timedelta(minutes=5))
    assert ground.report()["state"] == "planned"  # there is some grace
    watch(row["ends_at"] + timedelta(minutes=16))
    watch(row["ends_at"] + timedelta(minutes=20))
    work()
    [message] = ground.community.get("/api/v1/messages")["items"]
    assert "漏检" in message["title"] and "2 个点位中打卡 0 个" in message["text"]
    # The supervisor was in a basement: what was done in time arrives now.
    ground.sent(ground.entry(ago=400), ground.entry(point="T2", ago=200))
    assert ground.report()["state"] == "finished"
    assert [each["result"] for each in told("patrol.round_finished")] == ["missed", "partial", "finished"]


def test_a_round_is_finished_once_and_not_without_a_check_in(ground: Ground) -> None:
    assert problem(ground.sent(ground.entry("finish"))[0]) == "patrol_nothing_done"
    ground.check_in()
    entry = ground.entry("finish", note="下雨，二号点未去。")
    assert [each["repeated"] for each in (*ground.sent(entry), *ground.sent(entry))] == [False, True]
    assert problem(ground.sent(ground.entry("finish"))[0]) == "patrol_already_finished"
    assert ground.report()["state_title"] == "未走完"
    assert [each["result"] for each in told("patrol.round_finished")] == ["partial"]


def test_the_cockpit_counts_today_and_leads_to_the_rounds(ground: Ground) -> None:
    ground.check_in(stay=3)
    recompute_dirty()
    view = View(area=EAST, scope={"area": {"$gte": EAST, "$lt": f"{EAST}0"}})
    today = {each.label: each.value for each in headline(view).items}
    assert (today["今日应巡"], today["巡检中"], today["漏检"], today["存疑打卡"]) == (1, 1, 0, 1)
    bars = by_area(view)
    assert (list(bars.labels), list(bars.keys), bars.series["巡检中"].tolist()) == (["一社区"], [EAST_ONE], [1])
    for key, found in (("", 1), ("flagged", 1), ("under_way", 1), ("missed", 0), (EAST_ONE, 1), (WEST_ONE, 0)):
        assert len(rounds_of(view, key).rows) == found, key
    elsewhere = View(area=WEST, scope={"area": {"$gte": WEST, "$lt": f"{WEST}0"}})
    assert rounds_of(elsewhere, "").rows == [] and by_area(elsewhere).labels == []


def test_offices_search_and_export(ground: Ground) -> None:
    ground.check_in()
    street = ground.district.sign_in("street_staff", EAST)
    today = utcnow().astimezone(LOCAL_ZONE).date().isoformat()
    found = street.get("/api/v1/patrol-rounds", since=today, until=today, within=EAST_ONE, count=True)
    assert found["total"] == 1 and found["items"][0]["area_name"] == "阳光花园"
    assert street.get("/api/v1/patrol-rounds", state="missed")["items"] == []
    assert street.get("/api/v1/patrol-rounds", within=EAST_TWO)["items"] == []
    pages = street.get("/api/v1/patrol-rounds", limit=1)
    assert street.get("/api/v1/patrol-rounds", limit=1, cursor=pages["next_cursor"])["next_cursor"] is None
    table = street.call("GET", "/api/v1/patrol-rounds/export", query_string={"format": "csv", "until": today})
    assert table.status_code == 200 and "巡检中" in table.text and "阳光花园巡检" in table.text
    assert ground.supervisor.get(f"/api/v1/patrol-rounds/{ground.round}")["done"] == 1
    assert moment(ground.report()["started_at"]) < utcnow()
