"""Demo orders: two months of them, through the steps that people take, and the duty calendar of the year."""

from __future__ import annotations

import dataclasses
import io
import random
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from PIL import Image, ImageDraw

from backend.plugin_api import (
    LOCAL_ZONE,
    DemoDistrict,
    PlaceFacts,
    Principal,
    WorkOrderRequest,
    atomically,
    find_place,
    utcnow,
)
from plugins.dispatch.calendar.keeping import add_year
from plugins.dispatch.calendar.models import DutyYearRecord
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.opening import open_order
from plugins.dispatch.orders.replying import reply
from plugins.dispatch.orders.steps import dispatch, take, take_step
from plugins.dispatch.standards.register import DEFAULTS

ORDERS, FRESH, LATE, SENT = 150, 7, 9, 5
DAYS, AT_ONCE = 62, 10
NEWS = timedelta(hours=1)
#: Kinds and how often they come.
KINDS = {"E02": 9, "E03": 7, "E04": 5, "E05": 3, "E06": 3, "E07": 6, "E08": 4, "E09": 2, "E10": 2, "E12": 1}
#: How often something is reported in each hour of the day.
HOURS = (0, 0, 0, 0, 0, 1, 4, 9, 10, 6, 4, 4, 3, 3, 3, 4, 5, 7, 10, 9, 5, 3, 1, 0)
SEVERITIES = {"E08": 3, "E12": 3, "E05": 1, "E06": 1, "E09": 1}
NAMES = ("王芳", "李伟", "陈静", "杨勇", "周敏", "徐磊", "孙洋", "马艳", "胡军", "林丽华")
#: Days off and worked weekends of 2026, as the State Council announced them.
SOURCE = "国务院办公厅关于 2026 年部分节假日安排的通知（演示录入）"
OFF = (("元旦", "01-01", 3), ("春节", "02-15", 9), ("清明节", "04-04", 3), ("劳动节", "05-01", 5),
       ("端午节", "06-19", 3), ("中秋节", "09-25", 3), ("国庆节", "10-01", 7))  # fmt: skip
WORKED = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")


def load_orders(district: DemoDistrict) -> None:
    """Enter the calendar and let the orders happen; what an earlier, interrupted start has made stays as it is."""
    load_calendar(district)
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    now = utcnow()
    plans = sorted(planned(chance, now), key=lambda plan: plan["at"])
    pictures = [scene(chance, clean=n % 2 == 1) for n in range(8)]
    count = 0
    for start in range(0, len(plans), AT_ONCE):
        some = plans[start : start + AT_ONCE]
        # Whatever is over or has long been going on is no news; what comes in now is.
        with nullcontext() if now - some[-1]["at"] < NEWS else district.past():
            count += atomically(lambda some=some: sum(happen(district.by, plan, pictures, now) for plan in some))  # type: ignore[misc]
    district.tell(f"派单：{count}")


def load_calendar(district: DemoDistrict) -> None:
    """Enter the year whose holidays are known."""
    area = district.of_level("district")[0].path
    if DutyYearRecord.objects(area=area, year=2026).first() is not None:
        return
    days = [{"date": f"2026-{day}", "kind": "workday", "name": "调休上班"} for day in WORKED]
    for name, first, length in OFF:
        begin = datetime.fromisoformat(f"2026-{first}")
        days += [
            {"date": f"{begin + timedelta(days=n):%Y-%m-%d}", "kind": "holiday", "name": name} for n in range(length)
        ]
    add_year(district.by, {"area": area, "year": 2026, "days": days, "source": SOURCE})


def planned(chance: random.Random, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield what is to happen to each order; times in minutes, shares of its limit for the handling."""
    places = [place for n in range(1, 401, 3) if (place := find_place(f"T{n:04d}"))]
    today = now.astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    if not places:
        return
    for n in range(ORDERS):
        hour = chance.choices(range(24), HOURS)[0]
        moment = today - timedelta(days=chance.randrange(DAYS), hours=-hour, minutes=-chance.randrange(60))
        if moment >= now:
            moment -= timedelta(days=1)
        yield {
            "number": n,
            "at": moment,
            "place": chance.choice(places),
            "kind": chance.choices(list(KINDS), list(KINDS.values()))[0],
            "waits": chance.randint(3, 55),
            "takes": chance.randint(2, 40),
            "share": min(1.9, max(0.15, chance.gauss(0.62, 0.28))),
            "checks": chance.randint(20, 900),
            "end": chance.choices(("close", "rework", "dismiss", "left"), (80, 8, 5, 7))[0],
            "worker": chance.choice(NAMES),
            "picture": chance.randrange(4),
        }
    # What is on the desk right now: new ones, and some that nobody has answered in time.
    for n in range(FRESH + LATE):
        new = n < FRESH
        ago = timedelta(minutes=chance.randint(4, 50)) if new else timedelta(hours=chance.randint(5, 50))
        yield {
            "number": ORDERS + n,
            "at": now - ago,
            "place": chance.choice(places),
            "kind": chance.choice(("E02", "E03", "E12", "E07") if new else ("E02", "E03", "E12")),
            "waits": 60 if new else 5,
            "takes": 10,
            "share": 1000,
            "checks": 60,
            "end": "left",
            "worker": chance.choice(NAMES),
            "picture": 0,
        }
    # What waits for the people of the first company, whose account everybody may try.
    own = min((place.organisation for place in places if place.organisation), default=None)
    for n in range(SENT if own else 0):
        yield {
            "number": ORDERS + FRESH + LATE + n,
            "at": now - timedelta(minutes=chance.randint(8, 70)),
            "place": chance.choice([place for place in places if place.organisation == own]),
            "kind": chance.choice(("E02", "E03", "E07")),
            "waits": 3,
            "takes": 10_000,
            "share": 1000,
            "checks": 60,
            "end": "left",
            "worker": "",
            "picture": 0,
        }


def happen(by: Principal, plan: dict[str, Any], pictures: Sequence[bytes], now: datetime) -> int:
    """Let one order happen as far as it has come by now; returns how many that were: 1 or 0."""
    place: PlaceFacts = plan["place"]
    title = next(row["name"] for row in DEFAULTS if row["code"] == plan["kind"])
    request = WorkOrderRequest(
        source="patrol",
        source_id=f"demo-{plan['number']}",
        kind=plan["kind"],
        title=title,
        severity=SEVERITIES.get(plan["kind"], 2),
        area=place.area,
        point=place.code,
        description=f"巡检发现{place.name}{title}，请及时处置。",
    )
    facts = open_order(request, at=plan["at"])
    if facts.new:
        order = WorkOrder.objects.get(id=ObjectId(facts.id))
        for _ in steps(by, order, plan, pictures, now):
            pass
    return int(facts.new)


def steps(
    by: Principal, order: WorkOrder, plan: dict[str, Any], pictures: Sequence[bytes], now: datetime
) -> Iterator[WorkOrder]:
    """Take the steps of an order one after the other, until the next one would lie ahead."""
    at = plan["at"] + timedelta(minutes=plan["waits"])
    if at > now:
        return
    if plan["end"] == "dismiss":
        yield take_step(by, order, "dismiss", reason="现场未发现问题", at=at)
        return
    yield (order := dispatch(by, order, None, at=at))
    sent = at
    worker = dataclasses.replace(
        by,
        id=ObjectId(),
        name=plan["worker"],
        user_type=order.handler_role or "property_staff",
        organisation=order.handler_organisation,
    )
    at += timedelta(minutes=plan["takes"])
    if at > now or (plan["end"] == "left" and plan["number"] < ORDERS and plan["at"] > now - timedelta(days=4)):
        return
    yield (order := take(worker, order, at=at))
    at = max(at + timedelta(minutes=1), sent + (order.due_at - sent) * plan["share"])
    if at > now:
        return
    yield (order := reply(worker, order, answer(order, plan), photos(plan, pictures), at=at))
    at += timedelta(minutes=plan["checks"])
    if at > now:
        return
    if plan["end"] == "rework":
        yield (order := take_step(by, order, "send_back", reason="处置不彻底，请再清理一次", at=at))
        at += timedelta(minutes=35)
        if at > now:
            return
        yield (order := reply(worker, order, answer(order, plan), photos(plan, pictures), at=at))
        at += timedelta(minutes=30)
    if at <= now:
        yield take_step(by, order, "close", reason="现场已清理干净", at=at)


def answer(order: WorkOrder, plan: dict[str, Any]) -> dict[str, Any]:
    """Return what the worker says, from a few metres away."""
    place: PlaceFacts = plan["place"]
    near = {} if place.lon is None else {"longitude": place.lon + 0.0001, "latitude": place.lat, "accuracy": 12.0}
    return {"note": f"已处置，{order.title}问题已消除。", **near}


def photos(plan: dict[str, Any], pictures: Sequence[bytes]) -> dict[str, list[bytes]]:
    """Return a photo from before and one from after."""
    return {"before": [pictures[2 * plan["picture"]]], "after": [pictures[2 * plan["picture"] + 1]]}


def scene(chance: random.Random, *, clean: bool) -> bytes:
    """Draw bins before a wall, with bags on the ground unless it is clean."""
    picture = Image.new("RGB", (640, 480), "#b9c4cf")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 330, 640, 480), fill="#7d8791")
    for n, colour in enumerate(("#2b6cb0", "#2f855a", "#4a5568", "#c05621")):
        left = 60 + n * 140
        draw.rounded_rectangle((left, 180, left + 105, 350), 12, fill=colour)
        draw.rounded_rectangle((left - 6, 160, left + 111, 188), 8, fill="#2d3748")
    for _ in range(0 if clean else 9):
        x, y, size = chance.randrange(40, 580), chance.randrange(340, 430), chance.randrange(22, 50)
        draw.ellipse((x, y - size, x + size * 1.2, y), fill=chance.choice(("#1a202c", "#edf2f7", "#975a16")))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()
