"""Who may decide what on a case, what a penalty needs, and what is written of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bson import ObjectId

from backend.events import EventHandler, outbox
from backend.protection import audit
from backend.rollups import figures, recompute_dirty
from backend.storage import database, utcnow
from tests.cases.conftest import CASES, LEGAL, Ground, cases, noted
from tests.district import DISTRICT, EAST, WEST
from tests.vision import weights


def listen(name: str) -> None:
    """Have somebody listen to an event: one that nobody hears is not stored."""
    outbox.subscribe(EventHandler(name=f"test.{name}", event=name, handle=lambda event: None))


def told(name: str) -> list[dict[str, Any]]:
    """Return the payloads of an event that somebody listens to."""
    return [row["payload"] for row in database()["events"].find({"name": name})]


def test_a_reviewer_confirms_and_everyone_hears_of_it(ground: Ground) -> None:
    listen("evidence.case_confirmed")
    case = ground.case()
    assert [each["verb"] for each in case["verbs"]] == ["confirm", "propose_penalty", "reject", "merge"]
    answer = ground.decide(ground.reviewer, case, "confirm", reason="情节轻微")
    assert answer.status_code == 200, answer.text
    after = answer.json
    assert (after["state"], after["penalty"], after["decisions"][0]["reason"]) == ("confirmed", False, "情节轻微")
    assert after["history"][-1]["title"] == "确认（不处罚）" and after["history"][-1]["name"] == "测试"
    [payload] = told("evidence.case_confirmed")
    captures = [each["id"] for each in case["captures"]]
    assert payload == {
        "case": case["id"], "number": case["number"], "violation": "mixed_waste", "penalty": False, "captures": captures
    }  # fmt: skip
    [entry] = audit.history("evidence.case", case["id"])
    assert (entry.action, entry.detail["verb"]) == ("evidence.case.decide", "confirm")
    [noted_] = noted("decided")
    assert noted_["case"] == case["id"] and "情节轻微" not in str(noted_)
    recompute_dirty()
    assert figures("evidence.cases", where={"state": "confirmed"}).total() == 1


def test_a_penalty_takes_two_people(ground: Ground) -> None:
    listen("evidence.case_confirmed")
    both = ground.district.sign_in("district_staff", DISTRICT)
    case = ground.choose(ground.case(photo=weights.astronaut()))
    proposed = ground.decide(both, case, "propose_penalty")
    assert (proposed.status_code, proposed.json["state"], proposed.json["verbs"]) == (200, "countersigning", [])
    for verb in ("countersign", "send_back", "reject"):
        answer = ground.decide(both, proposed.json, verb, reason="自己来")
        assert (answer.status_code, answer.json["code"]) == (403, "same_person")
    assert ground.decide(ground.reviewer, proposed.json, "countersign").status_code == 403
    assert told("evidence.case_confirmed") == []
    signed = ground.decide(ground.countersigner, proposed.json, "countersign")
    assert (signed.status_code, signed.json["state"], signed.json["penalty"]) == (200, "confirmed", True)
    assert [payload["penalty"] for payload in told("evidence.case_confirmed")] == [True]
    assert len(noted("countersigned")) == 1 and {row["actor"]["id"] for row in noted("countersigned")} == {
        str(ground.countersigner.user.id)
    }


def test_what_is_sent_back_waits_again_and_is_no_penalty(ground: Ground) -> None:
    case = ground.case()
    proposed = ground.decide(ground.reviewer, case, "propose_penalty", reason="当事人由现场核实确定").json
    back = ground.decide(ground.countersigner, proposed, "send_back", reason="请选定当事人").json
    assert (back["state"], back["penalty"]) == ("waiting", False)
    assert ground.decide(ground.reviewer, back, "propose_penalty", reason="无法辨认").status_code == 200


def test_a_penalty_needs_the_whole_legal_record_and_a_subject_or_a_reason(ground: Ground) -> None:
    case = ground.case(legal=False)
    answer = ground.decide(ground.reviewer, case, "propose_penalty", reason="清楚")
    assert (answer.status_code, answer.json["code"]) == (422, "legal_record_incomplete")
    assert "1 号摄像机" in answer.json["detail"] and "技术标准" in answer.json["detail"]
    assert case["devices"][0]["missing"] and not case["legal_complete"]
    whole = ground.case(30)
    without = ground.decide(ground.reviewer, whole, "propose_penalty")
    assert (without.status_code, without.json["code"]) == (422, "reason_required")
    for missing in LEGAL:
        capture = ObjectId(whole["captures"][0]["id"])
        database()["evidence_captures"].update_one({"_id": capture}, {"$unset": {f"legal.{missing}": ""}})
        answer = ground.decide(ground.reviewer, whole, "propose_penalty", reason="清楚")
        assert answer.json["code"] == "legal_record_incomplete", missing
        database()["evidence_captures"].update_one({"_id": capture}, {"$set": {f"legal.{missing}": LEGAL[missing]}})


def test_what_people_reported_needs_a_visit(ground: Ground) -> None:
    case = ground.case()
    capture = ObjectId(case["captures"][0]["id"])
    database()["evidence_captures"].update_one({"_id": capture}, {"$set": {"source": "resident"}})
    answer = ground.decide(ground.reviewer, case, "propose_penalty", reason="居民举报属实")
    assert (answer.status_code, answer.json["code"]) == (422, "site_visit_required")
    told = {"reason": "居民举报属实", "site_visit": "11 月 22 日到场核实"}
    assert ground.decide(ground.reviewer, case, "propose_penalty", **told).status_code == 200


def test_rejecting_and_reopening_need_a_reason_and_the_case_stays_findable(ground: Ground) -> None:
    case = ground.case()
    for reason in ("", "   "):
        answer = ground.decide(ground.reviewer, case, "reject", reason=reason)
        assert (answer.status_code, answer.json["code"]) == (422, "reason_required")
    rejected = ground.decide(ground.reviewer, case, "reject", reason="保洁作业").json
    [row] = ground.reviewer.get(CASES, state="rejected", q=case["number"][:9])["items"]
    assert row["id"] == case["id"]
    assert ground.reviewer.get(f"{CASES}/{case['id']}")["decisions"][0]["reason"] == "保洁作业"
    again = ground.decide(ground.reviewer, rejected, "confirm")
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    reopened = ground.decide(ground.reviewer, rejected, "reopen", reason="发现新证据").json
    assert reopened["state"] == "waiting" and reopened["due_at"]


def test_two_reviewers_at_once_decide_once(ground: Ground) -> None:
    other = ground.district.sign_in("street_staff", EAST)
    for minute in (0, 30, 60):
        case = ground.case(minute)
        decisions = [(ground.reviewer, "confirm"), (other, "reject")]
        with ThreadPoolExecutor(2) as people:
            waiting = [people.submit(ground.decide, by, case, verb, reason="已看") for by, verb in decisions]
            answers = [each.result() for each in waiting]
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        [late] = [answer for answer in answers if answer.status_code == 412]
        assert late.json["code"] == "stale_version"
        stored = database()["evidence_cases"].find_one({"_id": ObjectId(case["id"])})
        assert len(stored["decisions"]) == 1 and len(stored["timeline"]) == 2
    assert len(noted("decided")) == 3


def test_a_decision_sent_again_is_taken_once(ground: Ground) -> None:
    case = ground.case()
    key = {"Idempotency-Key": "decision-0001"}
    answers = [
        ground.reviewer.call(
            "POST", f"{CASES}/{case['id']}/decisions", json={"verb": "confirm"}, etag=case["etag"], headers=key
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].json == answers[1].json
    assert len(cases()[0]["decisions"]) == 1


def test_the_subject_is_a_face_of_the_case(ground: Ground) -> None:
    case = ground.case(photo=weights.astronaut())
    chosen = ground.choose(case)
    assert chosen["subject"] and [row["detail"]["verb"] for row in noted("decided")] == ["choose_subject"]
    other = ground.case(30, photo=weights.six_people())
    address = f"{CASES}/{other['id']}/subject"
    found = [each for photo in other["captures"][0]["photos"] for each in photo["exhibits"]]
    thing = next(each["id"] for each in found if each["kind"] == "object")
    for bad in (
        {"face": chosen["subject"], "waste": None},
        {"face": thing, "waste": None},
        {"face": "1", "waste": None},
    ):
        answer = ground.reviewer.call("POST", address, json=bad, etag=other["etag"])
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert ground.decide(ground.reviewer, chosen, "propose_penalty").status_code == 200


def test_faces_open_only_to_whoever_may_see_them(ground: Ground) -> None:
    case = ground.case(photo=weights.astronaut())
    seen = ground.countersigner.get(f"{CASES}/{case['id']}")
    for person, shown in ((case, False), (seen, True)):
        [photo] = person["captures"][0]["photos"]
        assert photo["masked"] and bool(photo["original"]) is shown
        assert all(bool(each["picture"]) is shown for each in photo["exhibits"])
        [face] = [each for each in photo["exhibits"] if each["kind"] == "face"]
        assert all(0 <= share <= 1 for share in face["box"]) and face["box"][0] < face["box"][2]
    looks = {row["actor"]["id"] for row in noted("viewed") if row["subject"] == "evidence.case"}
    assert looks == {str(ground.reviewer.user.id), str(ground.countersigner.user.id)}


def test_another_street_neither_sees_nor_decides(ground: Ground) -> None:
    case = ground.case()
    west = ground.district.sign_in("street_staff", WEST)
    assert west.get(CASES)["items"] == []
    assert west.call("GET", f"{CASES}/{case['id']}").status_code == 404
    assert ground.decide(west, case, "confirm").status_code == 404
    supervisor = ground.district.sign_in("supervisor", EAST)
    assert supervisor.get(f"{CASES}/{case['id']}")["verbs"] == []
    assert ground.decide(supervisor, case, "confirm").status_code == 403


def test_the_list_is_searched_and_paged(ground: Ground) -> None:
    for minute, violation in ((0, "mixed_waste"), (30, "overflow"), (60, "mixed_waste")):
        ground.sees(minute, violation=violation)
    ground.work()
    reviewer = ground.reviewer
    every = reviewer.get(CASES)["items"]
    oldest = reviewer.get(CASES, order="oldest", limit=2)
    assert [row["id"] for row in oldest["items"]] == [row["id"] for row in reversed(every)][:2]
    rest = reviewer.get(CASES, order="oldest", limit=2, cursor=oldest["next_cursor"])
    assert [row["id"] for row in rest["items"]] == [every[0]["id"]] and rest["next_cursor"] is None
    database()["evidence_cases"].update_one({"_id": ObjectId(every[0]["id"])}, {"$set": {"defences": 1}})
    database()["evidence_cases"].update_one({"_id": ObjectId(every[1]["id"])}, {"$set": {"due_at": utcnow()}})
    middle = ground.began.replace(microsecond=0).isoformat()
    for asked, count in (
        ({"violation": "overflow"}, 1), ({"point": "T1"}, 3), ({"point": "T2"}, 0), ({"number": every[0]["number"]}, 1),
        ({"q": every[0]["number"][:8]}, 3), ({"q": "99"}, 0), ({"overdue": True}, 1), ({"overdue": False}, 2),
        ({"has_defence": True}, 1), ({"has_defence": False}, 2), ({"since": middle}, 3), ({"until": middle}, 0),
        ({"within": EAST}, 3), ({"within": WEST}, 0), ({"state": "waiting", "penalty": False}, 3),
    ):  # fmt: skip
        assert len(reviewer.get(CASES, **asked)["items"]) == count, asked
    assert reviewer.call("GET", CASES, query_string={"q": "a b"}).status_code == 422


def test_cases_are_merged_and_split(ground: Ground) -> None:
    one, two = ground.case(0), ground.case(30)
    address = f"{CASES}/{two['id']}/merge"
    assert ground.reviewer.call("POST", address, json={"into": one["id"]}, etag=two["etag"]).status_code == 422
    told = {"into": one["id"], "reason": "同一人同一次"}
    merged = ground.reviewer.call("POST", address, json=told, etag=two["etag"])
    assert merged.status_code == 200, merged.text
    assert [each["id"] for each in merged.json["captures"]] == [one["captures"][0]["id"], two["captures"][0]["id"]]
    assert merged.json["last_at"] == two["last_at"]
    kept = ground.reviewer.get(f"{CASES}/{two['id']}")
    assert (kept["number"], kept["state"], kept["captures"]) == (two["number"], "merged", [])
    assert kept["merged_into"] == {"id": one["id"], "number": one["number"]} and kept["verbs"] == []
    address = f"{CASES}/{one['id']}/split"
    all_of_it = {"captures": [each["id"] for each in merged.json["captures"]], "reason": "不是同一人"}
    etag = merged.json["etag"]
    assert ground.reviewer.call("POST", address, json=all_of_it, etag=etag).status_code == 422
    told = {"captures": [two["captures"][0]["id"]], "reason": "不是同一人"}
    new = ground.reviewer.call("POST", address, json=told, etag=etag)
    assert new.status_code == 201, new.text
    assert [each["id"] for each in new.json["captures"]] == [two["captures"][0]["id"]]
    assert new.json["number"] not in (one["number"], two["number"])
    assert [str(row["captures"]) for row in cases()].count("[]") == 1
    for row in cases():
        held = database()["evidence_captures"].find({"case": row["_id"]})
        assert [each["_id"] for each in held] == row["captures"]
    assert len(noted("split")) == 1 and cases()[0]["first_at"] == cases()[0]["last_at"]
    decided = ground.decide(ground.reviewer, new.json, "confirm").json
    told = {"into": one["id"], "reason": "晚了"}
    late = ground.reviewer.call("POST", f"{CASES}/{decided['id']}/merge", json=told, etag=decided["etag"])
    assert (late.status_code, late.json["code"]) == (409, "conflict")
