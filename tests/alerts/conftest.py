"""A camera that is registered in a small district and tells of events, as a vendor's software does."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from backend.events import EventHandler, deliver_due
from backend.events.outbox import subscribe
from backend.jobs import run_worker
from backend.storage import database
from plugins.alerts.intake import places, slots, taking
from plugins.alerts.intake.signing import signature
from plugins.alerts.kinds import catalogue
from tests.district import Caller, District

NUMBERS = count(1)


def ago(minutes: float) -> str:
    """Return a time in the past as vendors write it."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


def same_time(one: str, other: str) -> bool:
    """Say whether two times are the same but for the moment that a step takes."""
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)) < timedelta(seconds=1)


def photo(shade: int) -> bytes:
    """Return a small picture of one shade."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, shade, shade)).save(file, "PNG")
    return file.getvalue()


def inline(shade: int) -> str:
    """Return a picture as it stands in an event."""
    return base64.b64encode(photo(shade)).decode()


@dataclass
class Vendor:
    """The device D1 with its key."""

    district: District
    staff: Caller
    key: str
    device: str = "D1"

    def tell(self, *events: dict[str, Any], **body: Any) -> TestResponse:
        """Send events in one body."""
        return self.post(json.dumps({"events": list(events), **body}).encode())

    def post(self, body: bytes, *, at: float = 0, **headers: str) -> TestResponse:
        """Send a body as it stands, signed `at` seconds from now; headers may be changed."""
        moment = str(int(datetime.now(UTC).timestamp() + at))
        signed = {
            "X-Device": self.device,
            "X-Timestamp": moment,
            "X-Signature": signature(self.key, moment, body),
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.district.anyone("POST", "/api/v1/alerts/events", data=body, headers=signed)

    def sees(self, code: str = "E02", *, minutes_ago: float = 1, **event: Any) -> str:
        """Tell of one event; returns what became of it."""
        told = {"event_id": f"event-{next(NUMBERS)}", "code": code, "happened_at": ago(minutes_ago), **event}
        answer = self.tell(told)
        assert answer.status_code == 202, answer.text
        return str(answer.json["events"][0]["outcome"])

    def alerts(self, **query: Any) -> list[dict[str, Any]]:
        """Return the alerts as staff see them, the oldest first."""
        return list(reversed(self.staff.get("/api/v1/alerts", **query)["items"]))

    def only_alert(self) -> dict[str, Any]:
        """Return the one alert with all that is known of it."""
        [alert] = self.alerts()
        return dict(self.staff.get(f"/api/v1/alerts/{alert['id']}"))

    def take(self, alert: dict[str, Any], verb: str, **values: Any) -> dict[str, Any]:
        """Have the staff take a step; returns the alert as it is then."""
        body = {"reason": "现场已核实", **values}
        answer = self.staff.call("POST", f"/api/v1/alerts/{alert['id']}/{verb}", json=body, etag=alert["etag"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Forget what this process keeps of the database of another test."""
    for forget in (catalogue.forget, places.forget, slots._hints.clear, taking._recent.clear):
        forget()
    yield


@pytest.fixture
def vendor(district: District) -> Vendor:
    """Register a camera at a drop-off point and give it a key."""
    staff = district.sign_in()
    device = district.furnish(staff)["camera"]
    issued = staff.call("POST", f"/api/v1/devices/{device['id']}/signing-key", etag=device["etag"])
    # Something listens: nothing is stored of an event that nobody waits for.
    subscribe(EventHandler(name="alerts.listening", event="alert.raised", handle=lambda _: None))
    return Vendor(district, staff, issued.json["signing_key"])


def work() -> None:
    """Do what waits, in this process, as a worker would."""
    for _ in range(3):
        deliver_due()
        run_worker(["default"], burst=True)


def told(name: str) -> list[dict[str, Any]]:
    """Return the payloads of the events of a name that were published to somebody."""
    return [row["payload"] for row in database()["events"].find({"name": name}).sort("_id", 1)]
