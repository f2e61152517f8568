"""Captures that come in at chosen times, worked on by the real models, and the people who judge their cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.test import TestResponse

from backend.events import Event
from backend.storage import database, utcnow
from plugins.evidence.cases.bundling import bundle_capture
from tests.district import DISTRICT, EAST, Caller, District
from tests.evidence.conftest import Camera, camera, faces, with_models, work  # noqa: F401 - fixtures of the tests here
from tests.faults.camera import new_photo

CASES = "/api/v1/evidence/cases"
LEGAL = {
    "review_document": "清法审〔2026〕8 号",
    "reviewed_on": "2026-03-01",
    "standard": "GB/T 28181-2022",
    "sign_photo": "https://example.gov.cn/sign.jpg",
    "publication": "https://example.gov.cn/cameras",
}


@dataclass
class Ground:
    """A point with its camera, a reviewer, and a clock of device times that begins two hours ago."""

    camera: Camera
    reviewer: Caller
    countersigner: Caller
    began: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=2))
    numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def district(self) -> District:
        """The small district."""
        return self.camera.district

    def sees(self, minute: float = 0, photo: bytes = b"", **observation: Any) -> str:
        """Take in a photo of one person, seen so many minutes after the beginning; returns the capture's id."""
        told = {"event_id": f"event-{next(self.numbers)}", **observation}
        moment = self.began + timedelta(minutes=minute)
        answer = self.camera.send(photo or new_photo(), device_time=moment.isoformat(), **told)
        assert answer.status_code == 202, answer.text
        return str(answer.json["id"])

    def work(self) -> None:
        """Let the workers extract and bundle."""
        work("vision")
        work("default")

    def case(self, minute: float = 0, *, legal: bool = True, **observation: Any) -> dict[str, Any]:
        """Make a case of one capture and return it as the reviewer sees it.

        Only with a photo of its own the models work on it; without one there is nothing to be seen, which is quicker.
        """
        capture = self.sees(minute, **observation)
        if legal:
            database()["evidence_captures"].update_one({"_id": ObjectId(capture)}, {"$set": {"legal": LEGAL}})
        if "photo" in observation:
            self.work()
        else:
            extracted(capture)
            bundle_capture(told(capture))
        stored = database()["evidence_captures"].find_one({"_id": ObjectId(capture)})
        return self.reviewer.get(f"{CASES}/{stored['case']}")

    def decide(self, by: Caller, case: dict[str, Any], verb: str, **told: Any) -> TestResponse:
        """Decide on a case as it was seen."""
        return by.call("POST", f"{CASES}/{case['id']}/decisions", json={"verb": verb, **told}, etag=case["etag"])

    def choose(self, case: dict[str, Any]) -> dict[str, Any]:
        """Choose the first face of a case as that of its subject; returns the case."""
        found = [each for photo in case["captures"][0]["photos"] for each in photo["exhibits"]]
        face = next(each["id"] for each in found if each["kind"] == "face")
        answer = self.reviewer.call(
            "POST", f"{CASES}/{case['id']}/subject", json={"face": face, "waste": None}, etag=case["etag"]
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


@pytest.fixture
def ground(camera: Camera, with_models: None) -> Iterator[Ground]:  # noqa: F811 - the fixtures above
    """Return a point that is watched, with a reviewer of its street and somebody of the district who countersigns."""
    district = camera.district
    return Ground(camera, district.sign_in("street_staff", EAST), district.sign_in("enforcement_officer", DISTRICT))


def told(capture: str) -> Event:
    """Return the event that an extraction tells."""
    payload = {"capture": capture}
    return Event(id=str(ObjectId()), name="evidence.extracted", area="", occurred_at=utcnow(), payload=payload)


def extracted(*captures: str) -> None:
    """Say that captures are extracted: bundling asks for no more than that they are there."""
    ids = [ObjectId(each) for each in captures]
    database()["evidence_captures"].update_many({"_id": {"$in": ids}}, {"$set": {"state": "extracted"}})


def cases() -> list[dict[str, Any]]:
    """Return all cases as stored, by number."""
    return list(database()["evidence_cases"].find().sort("number", 1))


def noted(kind: str) -> list[dict[str, Any]]:
    """Return the ledger's entries of a kind, whether they have their place in the chain already or wait for it."""
    return [
        row for name in ("evidence_ledger", "evidence_ledger_waiting") for row in database()[name].find({"kind": kind})
    ]
