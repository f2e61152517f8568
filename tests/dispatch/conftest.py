"""A small district where something is wrong at a drop-off point, and the people who see to it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import numpy as np
import pytest
from bson import ObjectId
from PIL import Image
from werkzeug.test import TestResponse

from backend.events import Event, EventHandler, outbox
from backend.storage import database, utcnow
from plugins.dispatch.orders.opening import follow_alert
from plugins.dispatch.orders.telling import EVENTS
from tests.district import COMPOUND, DISTRICT, EAST, EAST_ONE, POINT, Caller, District

ORDERS = "/api/v1/work-orders"
LON, LAT = POINT["longitude"], POINT["latitude"]
_numbers = count(1)


def photo() -> bytes:
    """Return a photo that no other is like."""
    pixels = np.random.default_rng(next(_numbers)).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def raised(**payload: Any) -> Event:
    """Return the event of an alert at the point."""
    told = {
        "alert": str(ObjectId()),
        "number": "YJ1",
        "kind": "E02",
        "title": "满溢",
        "severity": 2,
        "point": "T1",
        "area": f"{EAST_ONE}/C1",
        "close_by": (utcnow() + timedelta(hours=2)).isoformat(),
        "role": "property_staff",
        "proof": ["before_photo", "after_photo"],
        **payload,
    }
    return Event(id=str(ObjectId()), name="alert.raised", area=told["area"], occurred_at=utcnow(), payload=told)


@dataclass
class Ground:
    """The district, its company, and who works there; orders are made by alerts or by hand."""

    district: District
    chief: Caller
    street: Caller
    community: Caller
    worker: Caller
    company: ObjectId
    colleagues: list[Caller] = field(default_factory=list)

    def alert(self, **payload: Any) -> dict[str, Any]:
        """Raise an alert and return its order as the street sees it."""
        event = raised(**payload)
        follow_alert(event)
        row = database()["work_orders"].find_one({"source_key": f"alert/{event.payload['alert']}"})
        return self.see(self.chief, str(row["_id"]))

    def see(self, by: Caller, order: str | dict[str, Any]) -> dict[str, Any]:
        """Return an order as somebody sees it."""
        return dict(by.get(f"{ORDERS}/{order if isinstance(order, str) else order['id']}"))

    def ask(self, by: Caller, order: dict[str, Any], what: str, **body: Any) -> TestResponse:
        """Ask for something with an order as it was seen."""
        return by.call("POST", f"{ORDERS}/{order['id']}/{what}", json=body, etag=order["etag"])

    def step(self, by: Caller, order: dict[str, Any], verb: str, **body: Any) -> dict[str, Any]:
        """Take a step that succeeds and return the order."""
        answer = self.ask(by, order, "steps", verb=verb, **body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def dispatch(self, by: Caller, order: dict[str, Any], **target: Any) -> dict[str, Any]:
        """Dispatch in one tap."""
        answer = self.ask(by, order, "dispatch", **target)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def take(self, by: Caller, order: dict[str, Any]) -> dict[str, Any]:
        """Take an order on."""
        answer = self.ask(by, order, "take")
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def reply(
        self,
        by: Caller,
        order: dict[str, Any],
        *,
        before: Sequence[bytes] = (),
        after: Sequence[bytes] = (),
        headers: dict[str, str] | None = None,
        **told: Any,
    ) -> TestResponse:
        """Reply with photos."""
        files = [("before", each) for each in before] + [("after", each) for each in after]
        data: dict[str, Any] = {"metadata": json.dumps(told)}
        for name, each in files:
            data.setdefault(name, []).append((io.BytesIO(each), f"{name}.jpg", "image/jpeg"))
        return by.call("POST", f"{ORDERS}/{order['id']}/replies", data=data, etag=order["etag"], headers=headers or {})

    def replied(self, by: Caller, order: dict[str, Any]) -> dict[str, Any]:
        """Reply with all that an overflow asks for."""
        answer = self.reply(by, order, before=[photo()], after=[photo()], note="已清理", longitude=LON, latitude=LAT)
        assert answer.status_code == 201, answer.text
        return dict(answer.json)

    def handled(self, **payload: Any) -> dict[str, Any]:
        """Return an order that waits to be verified."""
        order = self.dispatch(self.street, self.alert(**payload))
        return self.replied(self.worker, self.take(self.worker, order))

    def age(self, order: dict[str, Any], **ago: Any) -> None:
        """Let the running clock of an order have begun earlier, and count what follows from it anew."""
        row = database()["work_orders"].find_one({"_id": ObjectId(order["id"])})
        back = timedelta(**ago)
        times = ("running_since", "due_at", "escalate_at", "dispatched_at", "respond_by", "untaken_at")
        moved = {name: row[name] - back for name in times if isinstance(row.get(name), datetime)}
        database()["work_orders"].update_one({"_id": row["_id"]}, {"$set": moved})

    def stored(self, order: dict[str, Any]) -> dict[str, Any]:
        """Return an order as the store holds it."""
        return dict(database()["work_orders"].find_one({"_id": ObjectId(order["id"])}))

    def events(self, name: str, order: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the payloads of what was told, in order."""
        query = {"name": name} | ({"payload.order": order["id"]} if order else {})
        return [row["payload"] for row in database()["events"].find(query).sort("_id", 1)]


@pytest.fixture
def ground(district: District, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """Furnish the district: a compound whose point a company looks after; whatever is told of orders is kept."""
    for kind in EVENTS:
        probe = EventHandler(name=f"dispatch.probe_{kind.name}", event=kind.name, handle=lambda event: None)
        monkeypatch.setitem(outbox._handlers, probe.name, probe)
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
        worker=district.sign_in("property_staff", DISTRICT, organisation=company),
        company=company,
    )
