"""A small district whose compound belongs to a company, and what other modules tell of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from PIL import Image

from backend.plugin_api import Event, figures
from backend.rollups import recompute_dirty
from backend.storage import database, utcnow
from plugins.ranking.ledger.hearing import hear
from plugins.ranking.ledger.telling import METRIC
from tests.district import COMPOUND, DISTRICT, EAST, EAST_ONE, POINT, Caller, District

CHARGES, ENTRIES = "/api/v1/assessment-charges", "/api/v1/assessment-entries"
APPEALS, RULES = "/api/v1/assessment-appeals", "/api/v1/assessment-rules"
STATEMENTS = "/api/v1/assessment-statements"
HOME = f"{EAST_ONE}/C1"
_numbers = count(1)


def photo() -> bytes:
    """Return a photo that no other is like."""
    pixels = np.random.default_rng(next(_numbers)).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def event(name: str, at: datetime | None, area: str, payload: dict[str, Any]) -> Event:
    """Return an event as the outbox delivers it."""
    return Event(id=str(ObjectId()), name=name, area=area, occurred_at=at or utcnow(), payload=payload)


def case(verb: str = "confirmed", at: datetime | None = None, area: str = HOME, **payload: Any) -> Event:
    """Return what evidence tells of a case."""
    told = {"case": str(ObjectId()), "number": "AJ33-2026-000001", "violation": "mixed_waste", "penalty": False}
    return event(f"evidence.case_{verb}", at, area, {**told, "captures": [], **payload})


def finding(at: datetime | None = None, area: str = HOME, **payload: Any) -> Event:
    """Return what a patrol tells of an item that was not in order; it comes from a phone, so it may come late."""
    seen = at or utcnow()
    told = {"check_in": str(ObjectId()), "round": str(ObjectId()), "point": "T1", "area": area, "supervisor": "s1"}
    told |= {"at": seen.isoformat(), "outcome": "taken", "item": "T01", "item_title": "垃圾桶未满溢", "points": 2}
    return event("patrol.finding", None, area, {**told, "note": "", "photos": [], **payload})


def order(verb: str = "closed", at: datetime | None = None, area: str = HOME, **payload: Any) -> Event:
    """Return what dispatch tells of an order."""
    told = {"order": str(ObjectId()), "number": "PD33-2026-000001", "kind": "E02", "title": "满溢", "area": area}
    told |= {"handler_organisation": "", "result": "closed", "on_time": True, "rework": 0, "source": "alert"}
    return event(f"work_order.{verb}", at, area, {**told, **payload})


@dataclass
class Ground:
    """The district, its company and who works there."""

    district: District
    chief: Caller
    street: Caller
    community: Caller
    manager: Caller
    company: ObjectId

    def entries(self, **query: Any) -> list[dict[str, Any]]:
        """Return what the ledger holds, as stored."""
        return list(database()["ranking_entries"].find(query).sort([("compound", 1), ("seq", 1)]))

    def balance(self, compound: str = "C1") -> int:
        """Return the hundredths that are booked for a compound."""
        return sum(row["points"] for row in self.entries(compound=compound))

    def charges(self, by: Caller | None = None, **query: Any) -> list[dict[str, Any]]:
        """Return the charges that somebody sees."""
        return list((by or self.chief).get(CHARGES, **query)["items"])

    def charge(self, by: Caller, charge: str | dict[str, Any]) -> dict[str, Any]:
        """Return one charge as somebody sees it."""
        return dict(by.get(f"{CHARGES}/{charge if isinstance(charge, str) else charge['id']}"))

    def deducted(self, **payload: Any) -> dict[str, Any]:
        """Confirm a case, and return the charge that it makes."""
        told = case(**payload)
        hear(told)
        [found] = [each for each in self.charges() if each["number"] == told.payload["number"]]
        return found

    def appeal(self, by: Caller, charge: dict[str, Any], reason: str = "不是本小区居民", *photos: bytes) -> Any:
        """File an appeal; returns the answer."""
        files = [(io.BytesIO(each), "p.jpg", "image/jpeg") for each in photos]
        return by.call("POST", APPEALS, data={"charge": charge["id"], "reason": reason, "photos": files})

    def decide(self, by: Caller, appeal: dict[str, Any], verb: str, reason: str = "证据不足") -> Any:
        """Decide an appeal; returns the answer."""
        body = {"verb": verb, "reason": reason}
        return by.call("POST", f"{APPEALS}/{appeal['id']}/decision", json=body, etag=appeal["etag"])

    def enter(self, by: Caller, *photos: bytes, **values: Any) -> Any:
        """Enter points by hand; returns the answer."""
        headers = {"Idempotency-Key": values.pop("key")} if "key" in values else {}
        files = [(io.BytesIO(each), "p.jpg", "image/jpeg") for each in photos]
        data = {"compound": "C1", "rule": "M03", "reason": "桶站周边有散落垃圾", **values, "photos": files}
        return by.call("POST", CHARGES, data=data, headers=headers)


def months() -> dict[tuple[str, str], int]:
    """Return the hundredths of each compound and month as the ledger adds up, counted here."""
    found: dict[tuple[str, str], int] = {}
    for row in database()["ranking_entries"].find():
        key = row["compound"], f"{row['occurred_at'] + timedelta(hours=8):%Y-%m}"
        found[key] = found.get(key, 0) + row["points"]
    return found


def summed() -> dict[tuple[str, str], int]:
    """Return the same from the sums made ahead of time."""
    recompute_dirty()
    found: dict[tuple[str, str], int] = {}
    sums = figures(METRIC, area=DISTRICT, level="compound", since=datetime(2020, 1, 1, tzinfo=UTC), by=("area", "at"))
    for (area, at), points in zip(sums.keys, sums.measures["points"].tolist(), strict=True):
        key = area.rpartition("/")[2], f"{at + timedelta(hours=8):%Y-%m}"
        found[key] = found.get(key, 0) + int(points)
    return found


@pytest.fixture
def ground(district: District) -> Iterator[Ground]:
    """Furnish the district: a compound that a company looks after."""
    chief = district.sign_in("district_staff", DISTRICT)
    chief.add("property-companies", code="P1", name="清和物业", area_code="33")
    chief.add("compounds", **{**COMPOUND, "property_company": "P1"})
    chief.add("drop-off-points", **{**POINT, "property_company": "P1"})
    company = database()["organisations"].find_one({"name": "清和物业"})["_id"]
    yield Ground(
        district=district,
        chief=chief,
        street=district.sign_in("street_staff", EAST),
        community=district.sign_in("community_staff", EAST_ONE),
        manager=district.sign_in("property_staff", DISTRICT, organisation=company),
        company=company,
    )
