"""The duty calendar as staff keep it, and what it does to limits."""

from __future__ import annotations

import io

import pytest

from backend.storage import database, utcnow
from plugins.dispatch.calendar.health import holidays_known
from plugins.dispatch.orders.escalation import recount
from tests.dispatch.conftest import ORDERS, Ground
from tests.district import DISTRICT, EAST

YEARS = "/api/v1/duty-years"
THIS_YEAR = utcnow().year
NATIONAL = [{"date": f"{THIS_YEAR}-10-{day:02d}", "kind": "holiday", "name": "国庆节"} for day in range(1, 8)]


def enter(ground: Ground, **values: object) -> dict:
    """Enter this year and return it."""
    answer = ground.chief.call("POST", YEARS, json={"area": DISTRICT, "year": THIS_YEAR, **values})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_a_year_is_entered_changed_and_seen_by_all(ground: Ground) -> None:
    assert THIS_YEAR in ground.worker.get(YEARS)["unknown_years"]
    assert holidays_known().state == "warn"
    year = enter(ground, days=NATIONAL, source="国办发明电〔2025〕7 号")
    assert year["week"][0] == ["09:00-12:00", "13:30-17:30"] and year["week"][6] == []
    seen = ground.worker.get(YEARS)
    assert seen["items"][0]["days"][0]["name"] == "国庆节" and THIS_YEAR not in seen["unknown_years"]
    changed = ground.chief.call("PATCH", f"{YEARS}/{year['id']}", json={"days": NATIONAL[:3]}, etag=year["etag"])
    assert changed.status_code == 200 and len(changed.json["days"]) == 3
    assert ground.chief.call("PATCH", f"{YEARS}/{year['id']}", json={}, etag=year["etag"]).status_code == 412
    again = ground.chief.call("POST", YEARS, json={"area": DISTRICT, "year": THIS_YEAR})
    assert again.status_code == 409 and again.json["code"] == "duplicate"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"days": [{"date": "1900-01-01", "kind": "holiday"}]}, "days"),
        ({"days": [{"date": f"{THIS_YEAR}-02-30", "kind": "holiday"}]}, "days.0.date"),
        ({"days": [NATIONAL[0], NATIONAL[0]]}, "days"),
        ({"week": [["09:00-12:00"], ["12:00-09:00"], [], [], [], [], []]}, "week"),
        ({"week": [[], [], [], [], [], [], []]}, "week"),
        ({"area": EAST}, "area"),
        ({"area": "99"}, "area"),
    ],
)
def test_what_can_be_no_year_is_refused(ground: Ground, values: dict, field: str) -> None:
    answer = ground.chief.call("POST", YEARS, json={"area": DISTRICT, "year": THIS_YEAR, **values})
    assert answer.status_code in (403, 422), answer.text
    assert answer.status_code == 403 or any(name.startswith(field) for name in answer.json["fields"])
    assert database()["dispatch_duty_years"].count_documents({}) == 0


def test_only_the_district_keeps_its_calendar(ground: Ground) -> None:
    assert ground.street.call("POST", YEARS, json={"area": DISTRICT, "year": THIS_YEAR}).status_code == 403


def test_days_come_in_with_a_table(ground: Ground) -> None:
    year = enter(ground)
    table = f"日期,类型,名称\n{THIS_YEAR}-10-01,休息,国庆节\n{THIS_YEAR}-10-10,上班（调休）,\n"
    bad = f"日期,类型,名称\n{THIS_YEAR}-10-01,休息,国庆节\n{THIS_YEAR}-13-10,放假,\n"

    def send(text: str, mode: str, etag: str) -> dict:
        data = {"file": (io.BytesIO(text.encode()), "days.csv", "text/csv")}
        answer = ground.chief.call("POST", f"{YEARS}/{year['id']}/days?mode={mode}", data=data, etag=etag)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    refused = send(bad, "all", year["etag"])
    assert refused["written"] == 0 and {each["cell"] for each in refused["faults"]} == {"A3", "B3"}
    assert send(table, "check", year["etag"])["written"] == 0
    done = send(table, "all", year["etag"])
    assert done["written"] == 2 and done["etag"] != year["etag"]
    template = ground.chief.call("GET", f"{YEARS}/template")
    assert template.status_code == 200 and template.data.startswith(b"PK")


def test_a_limit_is_tried_out(ground: Ground) -> None:
    enter(ground, days=NATIONAL)
    asked = {"area": EAST, "start": f"{THIS_YEAR}-09-30T17:00:00+08:00", "minutes": 60}
    found = ground.street.get(f"{YEARS}/due", **asked)
    assert found["due_at"].startswith(f"{THIS_YEAR}-10-08T01:30") and not found["provisional"]
    far = ground.street.get(f"{YEARS}/due", **{**asked, "minutes": 60_000})
    assert far["provisional"] and far["unknown_years"] == [THIS_YEAR + 1]


def test_open_limits_are_counted_anew_when_a_year_is_entered(ground: Ground) -> None:
    order = ground.dispatch(
        ground.street, ground.alert(kind="E05", title="未破袋", point="", proof=["note"]), role="supervisor"
    )
    assert order["provisional"] and ground.street.get(ORDERS)["items"][0]["provisional"]
    before = ground.stored(order)["due_at"]
    every = [
        {"date": f"{THIS_YEAR}-{month:02d}-{day:02d}", "kind": "holiday"} for month in (11, 12) for day in range(1, 31)
    ]
    enter(ground, days=every)
    assert recount(DISTRICT) == 1
    after = ground.stored(order)
    assert after["due_at"] > before and after["escalate_at"] < after["due_at"]
    assert recount(DISTRICT) == 0
    assert ground.see(ground.street, order)["history"][-1]["title"] == "重新计算时限"
