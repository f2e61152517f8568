"""From a report to its end: judged, made an alert once, followed, rated, asked for again, shown to the public."""

from __future__ import annotations

import io
import threading
from typing import Any

import pytest
from PIL import Image

from backend import storage
from backend.plugin_api import BlobMissing, get_blob
from plugins.publicity.exposure import following
from plugins.publicity.exposure.models import Exposure, Receipt
from tests.district import DISTRICT, EAST, EAST_ONE, Caller, District, no_id
from tests.publicity.conftest import (
    API,
    TEXT,
    Others,
    follow,
    handled,
    happened,
    judge,
    picture,
    send,
    sent,
    work,
)


def texts(town: District, code: str) -> list[str]:
    """Return the steps that the holder of a code reads."""
    return [step["text"] for step in follow(town, code).json["steps"]]


def test_an_accepted_report_becomes_one_alert_and_its_reporter_reads_each_step(
    town: District, moderator: Caller, others: Others
):
    exposure, code = sent(town, picture())
    work()
    assert judge(moderator, exposure, "accept").json["state"] == "converting"
    work()
    (told,) = others.reports
    assert (told.kind, told.source, told.point, told.note) == ("E02", "exposure", "T1", TEXT)
    assert told.event_id == f"{exposure.id}-1" and len(told.pictures) == 1 and told.reporter == ""
    for name in ("work_order.filed", "work_order.dispatched", "work_order.replied"):
        happened(name, exposure.area, alert="alert-1", order="o1")
    assert follow(town, code).json["state_title"] == "办理中"
    happened("work_order.closed", exposure.area, alert="alert-1", order="o1", result="closed")
    happened("alert.closed", exposure.area, alert="alert-1")
    assert texts(town, code) == [
        "已收到，等待审核", "审核通过，已受理", "已立案，编号 YJ0001", "已派单立案", "已派遣处置人员",
        "处置人员已反馈处理情况，等待核查", "核查通过，已结案",
    ]  # fmt: skip
    end = follow(town, code).json
    assert (end["state_title"], end["result"], end["may_rate"]) == ("已办结", "核查通过，已结案", True)


@pytest.mark.parametrize(
    ("result", "words", "state"),
    [("merged", "已并入同类派单一并办理", "handling"), ("dismissed", "经核查，未发现所反映的问题", "handled"),
     ("forced_closed", "已结案", "handled")],
)  # fmt: skip
def test_the_result_of_an_order_is_told_in_words(
    town: District, moderator: Caller, result: str, words: str, state: str
):
    exposure, code = sent(town)
    judge(moderator, exposure, "accept")
    work()
    happened("work_order.closed", exposure.area, alert="alert-1", order="o1", result=result)
    told = follow(town, code).json
    assert (told["steps"][-1]["text"], told["state"]) == (words, state)


def test_what_staff_take_up_again_goes_on(town: District, moderator: Caller):
    exposure, code = handled(town, moderator)
    judge(moderator, exposure, "publish", text="桶边垃圾已清运。", checked=True)
    happened("work_order.reopened", exposure.area, alert="alert-1", order="o1", reason="又满了")
    happened("alert.reopened", exposure.area, alert="alert-1")
    told = follow(town, code).json
    assert (told["state"], told["result"], told["steps"][-1]["text"]) == ("handling", "", "重新立案办理")
    assert town.anyone("GET", "/api/v1/public-exposures").json["items"] == []
    happened("alert.closed", exposure.area, alert="alert-1")
    assert follow(town, code).json["state"] == "handled"


def test_repeated_events_and_a_death_before_the_note_change_nothing(
    town: District, moderator: Caller, others: Others, monkeypatch: pytest.MonkeyPatch
):
    exposure, code = sent(town)
    judge(moderator, exposure, "accept")

    def die(*_: Any, **__: Any) -> None:
        raise SystemError("killed after the alert, before its note")

    with monkeypatch.context() as patched:
        patched.setattr(following.FLOW.__class__, "fire", die)
        work()
    assert len(others.alerts) == 1 and Exposure.objects.get(id=exposure.id).state == "converting"
    # What happens to the alert meanwhile waits for the note, and is not lost.
    happened("work_order.dispatched", exposure.area, alert="alert-1", order="o1")
    storage.database()["events"].update_many(
        {}, {"$set": {"deliveries.$[each].due_at": exposure.reported_at}}, array_filters=[{"each.state": "waiting"}]
    )
    work()
    assert len(others.alerts) == 1 and len(others.reports) == 2
    storage.database()["events"].update_many(
        {}, {"$set": {"deliveries.$[each].due_at": exposure.reported_at}}, array_filters=[{"each.state": "waiting"}]
    )
    work()
    assert texts(town, code).count("已派遣处置人员") == 1
    storage.database()["events"].update_many(
        {"name": "work_order.dispatched"},
        {
            "$set": {
                "open": True,
                "deliveries.$[].state": "waiting",
                "deliveries.$[].attempts": 0,
                "deliveries.$[].due_at": exposure.reported_at,
            }
        },
    )
    work()
    assert texts(town, code).count("已派遣处置人员") == 1


def test_while_no_module_takes_alerts_the_report_waits(town: District, moderator: Caller, others: Others):
    others.takes_alerts = False
    exposure, code = sent(town)
    judge(moderator, exposure, "accept")
    work()
    assert follow(town, code).json["state_title"] == "已受理，正在立案"
    others.takes_alerts = True
    storage.database()["events"].update_many(
        {"name": "exposure.accepted"}, {"$set": {"deliveries.$[].due_at": exposure.reported_at}}
    )
    work()
    assert follow(town, code).json["state_title"] == "办理中"


def test_two_moderators_at_once_accept_once(town: District, moderator: Caller, others: Others):
    exposure, _ = sent(town)
    tag = moderator.get(f"{API}/{exposure.id}")["etag"]
    codes: list[int] = []
    threads = [
        threading.Thread(
            target=lambda: codes.append(moderator.call("POST", f"{API}/{exposure.id}/accept", etag=tag).status_code)
        )
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    work()
    assert sorted(codes) == [200, 412, 412, 412] and len(others.reports) == 1


def test_a_refused_report_says_why_and_can_come_back(town: District, moderator: Caller):
    exposure, code = sent(town)
    assert moderator.call("POST", f"{API}/{exposure.id}/reject", json={"reason": "重复"}).status_code == 428
    assert judge(moderator, exposure, "reject", reason="照片与垃圾分类无关").status_code == 200
    assert follow(town, code).json["reason"] == "照片与垃圾分类无关"
    assert judge(moderator, exposure, "accept").status_code == 409
    assert judge(moderator, exposure, "restore").json["state"] == "received"


def test_other_problems_need_a_category_first(town: District, moderator: Caller):
    exposure, _ = sent(town, category="other")
    assert judge(moderator, exposure, "accept").json["code"] == "category_needed"
    now = moderator.get(f"{API}/{exposure.id}")
    edited = moderator.call(
        "PATCH", f"{API}/{exposure.id}", json={"category": "bulky", "text": "沙发放在路边。"}, etag=now["etag"]
    )
    assert (edited.json["text"], edited.json["original_text"]) == ("沙发放在路边。", TEXT)
    assert judge(moderator, exposure, "accept").status_code == 200


def test_who_may_not_judge_there_sees_nothing(town: District, moderator: Caller):
    exposure, _ = sent(town, picture())
    work()
    here = f"{API}/{exposure.id}"
    west = town.sign_in("street_staff", "33/332")
    assert [west.call("GET", path).status_code for path in (here, f"{here}/photos/0")] == [404, 404]
    assert west.get(API)["items"] == []
    resident = town.sign_in("resident", EAST_ONE)
    assert resident.call("GET", here).status_code == 403
    community = town.sign_in("community_staff", EAST_ONE)
    assert community.call("GET", here).status_code == 200
    assert community.call("GET", f"{here}/photos/0").status_code == 403
    assert community.call("GET", f"{here}/photos/0/masked").status_code == 200
    assert town.anyone("GET", here).status_code == 401


def test_the_end_is_rated_once_and_asked_for_again_once(town: District, moderator: Caller, others: Others):
    exposure, code = handled(town, moderator)
    assert follow(town, code, "/rating", stars=0).status_code == 422
    assert follow(town, code, "/rating", stars=2, text="还有气味").json["stars"] == 2
    assert follow(town, code, "/rating", stars=2, text="还有气味").status_code == 200
    assert follow(town, code, "/rating", stars=5).status_code == 409
    again = follow(town, code, "/reopening", text="第二天又堆满了")
    assert again.json["state_title"] == "申请重办" and not again.json["may_ask_again"]
    assert judge(moderator, exposure, "accept").status_code == 200
    work()
    assert [each.event_id for each in others.reports] == [f"{exposure.id}-1", f"{exposure.id}-2"]
    happened("alert.closed", exposure.area, alert="alert-1")
    assert follow(town, code).json["state_title"] == "办理中"  # that was the first alert's
    happened("alert.closed", exposure.area, alert="alert-2")
    assert follow(town, code).json["state_title"] == "已办结"
    assert follow(town, code, "/reopening", text="第三天还是堆满").status_code == 409
    assert moderator.get(f"{API}/{exposure.id}")["rating"] == "还有气味"


def test_nothing_is_rated_before_the_end(town: District, moderator: Caller):
    _, code = sent(town)
    assert follow(town, code, "/rating", stars=5).status_code == 409
    assert follow(town, code, "/reopening", text="请快一点办理").status_code == 409


def similar(town: District, **query: Any) -> list[dict[str, Any]]:
    answer = town.anyone("GET", f"{API}/similar", query_string={"category": "overflow", "point": "T1", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def test_what_is_near_is_suggested_within_the_radius_of_its_category(town: District, moderator: Caller):
    exposure, _ = sent(town, picture(), longitude="120.1010", latitude="27.0000")
    Exposure._get_collection().update_one({"_id": exposure.id}, {"$set": {"place.coordinates": [120.101, 30.2714]}})
    (found,) = similar(town)
    assert (found["number"], found["metres"], found["thumbnails"]) == (exposure.number, 44, [])
    assert "text" not in found
    assert similar(town, category="mixed") == []
    assert similar(town, point="", longitude="120.101", latitude="30.2725") == []  # 122 m away
    work()
    assert town.anyone("GET", f"{API}/{exposure.id}/thumbnails/0").status_code == 404  # nobody has looked yet
    judge(moderator, exposure, "accept")
    assert similar(town)[0]["thumbnails"] == [0]
    thumbnail = town.anyone("GET", f"{API}/{exposure.id}/thumbnails/0")
    masked = Exposure.objects.get(id=exposure.id).photos[0].masked
    assert thumbnail.data == get_blob(masked, space=DISTRICT)
    judge(moderator, exposure, "hide", reason="有人名")
    assert similar(town) == []
    assert town.anyone("GET", f"{API}/{exposure.id}/thumbnails/0").status_code == 404


def test_a_category_is_data(town: District):
    staff = town.sign_in()
    (overflow, *_rest) = town.anyone("GET", "/api/v1/exposure-categories").json["items"]
    here = "/api/v1/exposure-categories/overflow"
    changed = staff.call("PATCH", here, json={"radius": 0, "title": "桶满了"}, etag=overflow["etag"])
    assert (changed.status_code, changed.json["radius"], changed.json["alert_kind"]) == (200, 0, "E02")
    assert staff.call("PATCH", here, json={"radius": 5}, etag=overflow["etag"]).status_code == 412
    assert staff.call("PATCH", here, json={"radius": 351}, etag=changed.json["etag"]).status_code == 422
    again = staff.call("PATCH", here, json={"active": False}, etag=changed.json["etag"])
    assert again.status_code == 200
    assert send(town).json["code"] == "invalid"
    assert town.sign_in("street_staff", EAST).call("PATCH", here, json={}, etag=again.json["etag"]).status_code == 403
    actions = [
        row["detail"] for row in storage.database()["audit_entries"].find({"action": "publicity.category.change"})
    ]
    assert actions[0]["radius"] == [60, 0]


def test_me_too_counts_a_person_once_and_gives_a_receipt_that_follows(town: District, moderator: Caller):
    exposure, code = sent(town)
    here = f"{API}/{exposure.id}/supports"
    one, other = town.sign_in("resident", EAST_ONE), town.sign_in("resident", EAST_ONE)
    first, second = one.call("POST", here), one.call("POST", here)
    assert first.status_code == 201 and first.json["joined"] and not second.json["joined"]
    assert first.json["code"] == second.json["code"] != other.call("POST", here).json["code"]
    anonymous = [town.anyone("POST", here).json for _ in range(2)]
    assert anonymous[0]["code"] and anonymous[1] == {**anonymous[0], "code": "", "joined": False}
    assert follow(town, code).json["supports"] == 3 and Receipt.objects.count() == 4
    seen = follow(town, first.json["code"]).json
    assert (seen["own"], seen["text"], seen["may_rate"]) == (False, "", False)
    assert follow(town, first.json["code"], "/rating", stars=1).status_code == 409
    assert town.anyone("POST", f"{API}/{no_id()}/supports").status_code == 404
    judge(moderator, exposure, "reject", reason="不属实")
    assert town.anyone("POST", here).status_code == 409


def test_black_boxes_are_in_every_copy_and_copies_without_them_are_gone(town: District, moderator: Caller):
    exposure, _ = handled(town, moderator, picture("white"))
    before = Exposure.objects.get(id=exposure.id).photos[0]
    now = moderator.get(f"{API}/{exposure.id}")
    here = f"{API}/{exposure.id}/photos/0"
    assert (
        moderator.call("PUT", f"{here}/boxes", json={"boxes": [[0.5, 0, 0.2, 1]]}, etag=now["etag"]).status_code == 422
    )
    done = moderator.call("PUT", f"{here}/boxes", json={"boxes": [[0, 0, 0.5, 0.5]]}, etag=now["etag"])
    assert done.status_code == 200 and not done.json["photos"][0]["masked"]
    assert moderator.call("GET", here).status_code == 404  # until there is a new one
    work()
    for tail in ("", "/masked"):
        with Image.open(io.BytesIO(moderator.call("GET", f"{here}{tail}").data)) as copy:
            assert copy.convert("L").getpixel((20, 20)) < 10 and copy.convert("L").getpixel((460, 620)) > 245
    for gone in (before.copy, before.masked):
        with pytest.raises(BlobMissing):
            get_blob(gone, space=DISTRICT)
    assert get_blob(before.sha256, space=DISTRICT)


def test_the_public_sees_what_was_handled_looked_through_and_masked(town: District, moderator: Caller):
    exposure, _ = handled(town, moderator, picture("red"), picture("blue"))
    public = "/api/v1/public-exposures"
    assert town.anyone("GET", public).json["items"] == []
    told = {"text": "桶边垃圾已清运。", "photos": [1], "checked": True}
    assert judge(moderator, exposure, "publish", **{**told, "checked": False}).status_code == 422
    assert judge(moderator, exposure, "publish", **told).status_code == 200
    (item,) = town.anyone("GET", public).json["items"]
    assert (item["text"], item["photos"], item["point_name"]) == ("桶边垃圾已清运。", [1], "阳光花园 1 号投放点")
    assert "T16:00:00" in item["reported_on"] and "area" not in item and "original_text" not in item
    shown = town.anyone("GET", f"{public}/{exposure.id}/photos/1")
    photo = Exposure.objects.get(id=exposure.id).photos[1]
    assert shown.data == get_blob(photo.masked, space=DISTRICT) != get_blob(photo.copy, space=DISTRICT)
    assert town.anyone("GET", f"{public}/{exposure.id}/photos/0").status_code == 404
    page = town.anyone("GET", "/publicity/exposures")
    assert page.status_code == 200 and "桶边垃圾已清运。" in page.text and TEXT not in page.text
    assert judge(moderator, exposure, "withdraw", reason="需要补充").status_code == 200
    assert town.anyone("GET", public).json["items"] == []
    assert town.anyone("GET", f"{public}/{exposure.id}/photos/1").status_code == 404


@pytest.mark.parametrize("verb", ["hide", "blacken", "edit"])
def test_any_change_takes_it_from_the_public_list(town: District, moderator: Caller, verb: str):
    exposure, _ = handled(town, moderator, picture())
    judge(moderator, exposure, "publish", text="桶边垃圾已清运。", photos=[0], checked=True)
    here, tag = f"{API}/{exposure.id}", moderator.get(f"{API}/{exposure.id}")["etag"]
    if verb == "hide":
        moderator.call("POST", f"{here}/hide", json={"reason": "有车牌"}, etag=tag)
    elif verb == "blacken":
        moderator.call("PUT", f"{here}/photos/0/boxes", json={"boxes": [[0, 0, 0.1, 0.1]]}, etag=tag)
    else:
        moderator.call("PATCH", here, json={"text": "换一段说明文字。"}, etag=tag)
    assert town.anyone("GET", "/api/v1/public-exposures").json["items"] == []


def test_without_anybody_who_masks_no_photo_is_public(town: District, moderator: Caller, others: Others):
    others.masks = False
    exposure, _ = handled(town, moderator, picture())
    assert moderator.call("GET", f"{API}/{exposure.id}/photos/0").status_code == 200
    assert (
        judge(moderator, exposure, "publish", text="桶边垃圾已清运。", photos=[0], checked=True).json["code"]
        == "photo_not_masked"
    )
    assert judge(moderator, exposure, "publish", text="桶边垃圾已清运。", photos=[], checked=True).status_code == 200
    others.masks = True
    storage.database()["events"].update_many(
        {"name": "exposure.reported"}, {"$set": {"deliveries.$[].due_at": exposure.reported_at}}
    )
    work()
    assert Exposure.objects.get(id=exposure.id).photos[0].masked


def test_what_is_not_handled_is_not_published(town: District, moderator: Caller):
    exposure, _ = sent(town)
    assert judge(moderator, exposure, "publish", text="桶边垃圾已清运。", checked=True).json["code"] == "not_handled"


def test_who_reported_is_opened_by_a_custodian_at_the_request_of_another_once(town: District, moderator: Caller):
    resident = town.sign_in("resident", EAST_ONE, phone="13812345678")
    exposure, _ = sent(town, by=resident, anonymous="true")
    custodian = town.sign_in("administrator", "")
    asked = moderator.call("POST", f"{API}/{exposure.id}/identity-requests", json={"reason": "需要现场指认"})
    assert asked.status_code == 201 and str(resident.user.id) not in asked.text
    here = f"/api/v1/exposure-identity-requests/{asked.json['id']}"
    tag = asked.json["etag"]
    assert moderator.call("POST", f"{here}/open", json={"reason": "我要看"}, etag=tag).status_code == 403
    opened = custodian.call("POST", f"{here}/open", json={"reason": "已核对申请"}, etag=tag)
    assert opened.json["id"] == str(resident.user.id) and opened.json["phone"].endswith("13812345678")
    assert custodian.call("POST", f"{here}/open", json={"reason": "再看一次"}, etag=tag).status_code == 412
    entry = storage.database()["audit_entries"].find_one({"action": "publicity.reporter.reveal"})
    assert entry["detail"]["purpose"] == "已核对申请" and "138" not in str(entry)
    nobody, _ = sent(town, text="没有登录的人上报。")
    asked = moderator.call("POST", f"{API}/{nobody.id}/identity-requests", json={"reason": "需要现场指认"}).json
    none = custodian.call(
        "POST", f"/api/v1/exposure-identity-requests/{asked['id']}/open", json={"reason": "核对"}, etag=asked["etag"]
    )
    assert none.json["code"] == "no_identity"
    refused = custodian.call(
        "POST",
        f"/api/v1/exposure-identity-requests/{asked['id']}/refuse",
        json={"reason": "没有登记"},
        etag=asked["etag"],
    )
    assert refused.json["state"] == "refused"


def test_the_cockpit_counts(town: District, moderator: Caller):
    from backend.plugin_api import View
    from backend.rollups import recompute_dirty
    from plugins.publicity.exposure import panels

    _, code = handled(town, moderator)
    sent(town, category="bulky")
    follow(town, code, "/rating", stars=4)
    recompute_dirty()
    view = View(area=DISTRICT, scope={})
    shown = {each.label: each.value for each in panels.headline(view).items}
    assert (shown["曝光"], shown["已办结"], shown["满意度"]) == (2, 1, 4.0)
    assert sorted(panels.by_category(view).labels) == ["垃圾桶满溢", "大件垃圾乱堆"]
    assert len(panels.latest(view).rows) == 2 and TEXT not in str(panels.latest(view))
    assert panels.by_area(view).series["曝光"].tolist() == [2]
