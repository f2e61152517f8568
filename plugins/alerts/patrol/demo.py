"""A month of rounds in the fictional district, judged by the same rules as real ones and written in few writes."""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from PIL import Image, ImageDraw

from backend.plugin_api import (
    Actor,
    DemoDistrict,
    acting,
    atomically,
    district_of,
    import_rows,
    mark_many,
    put_blob,
    utcnow,
)
from plugins.alerts.intake.places import point_at
from plugins.alerts.patrol.claims import answered, limits, spot_of
from plugins.alerts.patrol.closing import result_of
from plugins.alerts.patrol.generating import METRIC, key_of, make_rounds, new_round, planned, stops_of
from plugins.alerts.patrol.items import checklist
from plugins.alerts.patrol.judging import Claim, judge
from plugins.alerts.patrol.models import USER, PatrolCheckIn, PatrolPlan, PatrolRound, id_of
from plugins.alerts.patrol.plans import PLANS
from plugins.alerts.patrol.progress import after_check_in, check_in_row
from plugins.alerts.patrol.taking import tell_findings
from plugins.alerts.patrol.vocabulary import WEEKDAYS
from plugins.alerts.patrol.windows import local_day

DAYS, MOST_PLANS, LAST_POINT = 30, 24, 400
#: Rounds of one transaction.
PORTION = 150
NAMES = ("周敏", "孙建国", "胡丽华", "朱志强", "林秀英", "何晓东", "高雪梅", "罗军", "郭静", "马勇", "吴艳", "徐磊")
#: Metres of one degree of latitude, near enough for a fiction.
DEGREE = 111_000

Row = dict[str, Any]


def load_patrols(district: DemoDistrict) -> None:
    """Make plans, walk them for a month, and leave today's rounds to be walked; run again it makes what is missing."""
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    now = utcnow()
    rows = list(enumerate(demo_plans(district), 2))
    if not rows:
        return
    import_rows(PLANS, district.by, rows, mode="good", update=False)
    plans = list(PatrolPlan._get_collection().find({"code": {"$in": [row["code"] for _, row in rows]}}).sort("code", 1))
    photo = keep_drawing(plans[0]["area"])
    walked = list(past_rounds(plans, chance, now, photo))
    with acting(Actor(id="demo", name="演示数据", kind="system")):
        for start in range(0, len(walked), PORTION):
            write(walked[start : start + PORTION])
    make_rounds(now)
    district.tell(f"巡检计划：{len(plans)}，巡检：{PatrolRound._get_collection().estimated_document_count()}")


def demo_plans(district: DemoDistrict) -> Iterator[Row]:
    """Yield a plan for the first compound with points of each community; the first one may be walked at any hour."""
    names = {area.path: area.name for area in district.of_level("compound")}
    points = defaultdict(list)
    for number in range(1, LAST_POINT + 1):
        place = point_at(f"T{number:04d}")
        if place is not None:
            points[place.area].append(place.code)
    seen: set[str] = set()
    for path, name in names.items():
        community, code = path.rsplit("/", 1)
        if community in seen or not points[path] or len(seen) == MOST_PLANS:
            continue
        first = not seen
        seen.add(community)
        yield {
            "code": f"XJ{code}",
            "name": f"{name}巡检",
            "area_code": code,
            "points": points[path],
            "weekdays": list(WEEKDAYS) if first else [day for day in WEEKDAYS if day != "sun"],
            "windows": ["00:00-12:00", "12:00-24:00"] if first else ["07:00-09:00", "18:00-20:00"],
        }


def past_rounds(plans: list[Row], chance: random.Random, now: datetime, photo: str) -> Iterator[tuple[Row, list[Row]]]:
    """Yield the rounds of the last month that are not there yet, with their check-ins."""
    today = local_day(now)
    days = [today - timedelta(days=each) for each in range(DAYS, -1, -1)]
    there = {row["_id"] for row in PatrolRound._get_collection().find({"plan": {"$in": [p["_id"] for p in plans]}})}
    numbers = {plan["_id"]: number for number, plan in enumerate(plans)}
    for plan, day, span in planned(plans, days):
        draw = random.Random(chance.random())  # noqa: S311 - what is there already takes no part of the chance
        if span[1] > now or (key := key_of((plan, day, span))) in there:
            continue
        name = NAMES[numbers[plan["_id"]] % len(NAMES)]
        person = id_of("demo supervisor", plan["code"])
        row = new_round(key, plan, day, span, stops_of(plan), span[0])
        yield walk({**row, "supervisor": person, "supervisor_name": name}, draw, photo)


def walk(row: Row, chance: random.Random, photo: str) -> tuple[Row, list[Row]]:
    """Return a round as it ended, with its check-ins: mostly all, seldom none, sometimes too fast to be true."""
    fate = chance.random()
    visited = 0 if fate < 0.05 else chance.randrange(1, row["total"] + 1) if fate < 0.1 else row["total"]
    hasty = chance.random() < 0.04
    at = row["starts_at"] + timedelta(minutes=chance.uniform(2, 50))
    check_ins = []
    for number, stop in enumerate(row["stops"][:visited]):
        stay = timedelta(seconds=chance.uniform(6, 15) if hasty else chance.uniform(60, 240))
        late = timedelta(seconds=chance.uniform(0.5, 2))
        claim = Claim(
            at=at,
            until=at + stay,
            sent_at=at + stay,
            received_at=at + stay + late,
            place=(
                stop["lon"] + chance.uniform(-20, 20) / DEGREE,
                stop["lat"] + chance.uniform(-20, 20) / DEGREE,
            ),
            accuracy=round(chance.uniform(5, 30), 1),
        )
        entry = {"client_id": f"demo-{row['_id']}-{number}", "point": stop["point"]}
        answers = answered(found(stop, chance, photo), district_of(stop["area"]), stop["kind"])
        judged = judge(claim, spot_of(row, stop, {}), limits())
        key = id_of("patrol entry", str(row["supervisor"]), entry["client_id"])
        check_in = check_in_row(key, row["supervisor"], row, entry, claim, judged, answers)
        row |= after_check_in(row, check_in, row["supervisor_name"])
        check_ins.append(check_in)
        at += stay + timedelta(minutes=chance.uniform(3, 8))
    ended = at if visited == row["total"] else row["ends_at"] + timedelta(minutes=15)
    by = str(row["supervisor"]) if visited == row["total"] else "platform"
    return {**row, "state": result_of(row), "finished_at": ended, "closed_by": by, "warned": True}, check_ins


def found(stop: Mapping[str, Any], chance: random.Random, photo: str) -> list[Row]:
    """Return what was found at a stop: now and then something is not in order."""
    items = checklist(district_of(stop["area"]), stop["kind"])
    bad = chance.choice(items)["code"] if chance.random() < 0.05 else ""
    return [
        {
            "item": item["code"],
            "ok": item["code"] != bad,
            "photos": [photo] if item["code"] == bad or item["photo"] == "always" else [],
        }
        for item in items
    ]


def write(portion: list[tuple[Row, list[Row]]]) -> None:
    """Store rounds with their check-ins, and tell of what was found."""
    check_ins = [each for _, some in portion for each in some]

    def work() -> None:
        PatrolRound._get_collection().insert_many([row for row, _ in portion], ordered=False)
        if check_ins:
            PatrolCheckIn._get_collection().insert_many(check_ins, ordered=False)
        mark_many(METRIC, [(row["area"], row["starts_at"]) for row, _ in portion])
        for each in check_ins:
            tell_findings(each)

    atomically(work)


def keep_drawing(area: str) -> str:
    """Keep a drawing of a bin with bags beside it; returns its hash."""
    picture = Image.new("RGB", (640, 480), "#c9d3d8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 320, 640, 480), fill="#8d9499")
    draw.rectangle((220, 150, 370, 400), fill="#2c5f3f")
    for left in (150, 380, 440):
        draw.ellipse((left, 330, left + 90, 410), fill="saddlebrown", outline="#222")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return put_blob(file.getvalue(), media_type="image/jpeg", space=district_of(area), user=USER).sha256
