"""A small district with a plan of two points, its supervisor, and a phone that sends what it is told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from backend.events import EventHandler, deliver_due, outbox
from backend.jobs import run_worker
from backend.plugin_api import LOCAL_ZONE
from backend.storage import database, utcnow
from plugins.alerts.intake import places, slots, taking
from plugins.alerts.kinds import catalogue
from plugins.alerts.patrol import items
from plugins.alerts.patrol.codes import code_of
from plugins.alerts.patrol.generating import make_rounds
from plugins.alerts.patrol.offers import EVENTS
from plugins.alerts.patrol.vocabulary import WEEKDAYS
from tests.district import EAST_ONE, POINT, Caller, District

API = "/api/v1/patrol"
C1 = f"{EAST_ONE}/C1"
#: Where the points are: the second about 330 m north of the first.
PLACES = {"T1": (120.101, 30.271), "T2": (120.101, 30.274)}
#: A window that is open whenever the tests run.
ALL_DAY = {"weekdays": list(WEEKDAYS), "windows": ["00:00-24:00"]}
_numbers = count(1)


def photo(shade: int = 90) -> bytes:
    """Return a small photo."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, shade, shade)).save(file, "JPEG")
    return file.getvalue()


def new_id() -> str:
    """Return an id as a phone makes one."""
    return f"phone-entry-{next(_numbers)}"


@dataclass
class Ground:
    """The district, who plans and who walks; `phone` is how far the phone's clock is ahead."""

    district: District
    chief: Caller
    community: Caller
    supervisor: Caller
    plan: dict[str, Any]
    phone: timedelta = field(default_factory=timedelta)

    def rounds(self, by: Caller | None = None) -> list[dict[str, Any]]:
        """Return the rounds of today that a phone gets, the earliest first."""
        today = utcnow().astimezone(LOCAL_ZONE).date().isoformat()
        return [each for each in (by or self.supervisor).get(f"{API}/today")["rounds"] if each["day"] == today]

    @property
    def round(self) -> str:
        """The id of today's round."""
        return str(self.rounds()[0]["id"])

    def report(self, by: Caller | None = None) -> dict[str, Any]:
        """Return today's round as a report."""
        return dict((by or self.community).get(f"/api/v1/patrol-rounds/{self.round}"))

    def entry(self, kind: str = "check_in", *, ago: float = 60, stay: float = 60, **values: Any) -> dict[str, Any]:
        """Return an entry of the queue: a check-in at the first point that began `ago` seconds ago."""
        at = utcnow() + self.phone - timedelta(seconds=ago)
        told: dict[str, Any] = {"client_id": new_id(), "kind": kind, "round": values.pop("round", "") or self.round}
        told["at"] = at.isoformat()
        if kind != "finish":
            told["point"] = values.get("point", "T1")
        if kind == "check_in":
            lon, lat = PLACES[told["point"]]
            told |= {"longitude": lon, "latitude": lat, "accuracy": 10}
            told["until"] = (at + timedelta(seconds=stay)).isoformat()
        told |= values
        return {name: value for name, value in told.items() if value is not None}

    def send(self, *entries: dict[str, Any], by: Caller | None = None) -> TestResponse:
        """Send a batch."""
        body = {"sent_at": (utcnow() + self.phone).isoformat(), "entries": list(entries)}
        return (by or self.supervisor).call("POST", f"{API}/batches", json=body)

    def sent(self, *entries: dict[str, Any], by: Caller | None = None) -> list[dict[str, Any]]:
        """Send a batch that is answered; returns the results."""
        answer = self.send(*entries, by=by)
        assert answer.status_code == 200, answer.text
        return list(answer.json["results"])

    def check_in(self, *, by: Caller | None = None, **values: Any) -> dict[str, Any]:
        """Check in; returns the result."""
        return self.sent(self.entry(**values), by=by)[0]

    def upload(self, content: bytes | None = None, by: Caller | None = None) -> str:
        """Upload a photo; returns its hash."""
        data = {"photo": (io.BytesIO(content or photo()), "p.jpg", "image/jpeg")}
        answer = (by or self.supervisor).call("POST", f"/api/v1/patrol-rounds/{self.round}/photos", data=data)
        assert answer.status_code == 201, answer.text
        return str(answer.json["sha256"])

    def code(self, point: str = "T1", number: int = 1) -> str:
        """Return the code that hangs at a point."""
        place = places.point_at(point)
        assert place is not None
        return code_of(place, number)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Forget what this process keeps of the database of another test."""
    for forget in (catalogue.forget, places.forget, items.forget, slots._hints.clear, taking._recent.clear):
        forget()
    yield


#: Somebody who listens, so that whatever is told of patrols is kept.
PROBES = {
    f"alerts.probe_{kind.name}": EventHandler(
        name=f"alerts.probe_{kind.name}", event=kind.name, handle=lambda event: None
    )
    for kind in EVENTS
}


@pytest.fixture
def ground(district: District, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Furnish the district."""
    for name, probe in PROBES.items():
        monkeypatch.setitem(outbox._handlers, name, probe)
    chief = district.sign_in()
    district.furnish(chief)
    chief.add("drop-off-points", **{**POINT, "code": "T2", "name": "阳光花园 2 号投放点", "latitude": 30.274})
    supervisor = district.sign_in("supervisor", C1)
    plan = chief.add(
        "patrol-plans",
        code="XJ1",
        name="阳光花园巡检",
        area_code="C1",
        points=["T1", "T2"],
        supervisor=str(supervisor.user.id),
        **ALL_DAY,
    )
    make_rounds()
    return Ground(district, chief, district.sign_in("community_staff", EAST_ONE), supervisor, plan)


def work() -> None:
    """Do what waits, in this process, as a worker would."""
    for _ in range(3):
        deliver_due()
        run_worker(["default"], burst=True)


def told(name: str) -> list[dict[str, Any]]:
    """Return the payloads of the events of a name."""
    return [row["payload"] for row in database()["events"].find({"name": name}).sort("_id", 1)]


def moment(text: str) -> datetime:
    """Return a time of an answer."""
    return datetime.fromisoformat(text)
