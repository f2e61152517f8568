"""A camera that is registered in a small district, the real weights, and a way to let the vision worker work."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from backend import settings as settings_module
from backend.events import deliver_due
from backend.jobs import run_worker
from backend.storage import database
from plugins.evidence.captures.intake import signature
from tests.district import Caller, District
from tests.vision import weights


@dataclass
class Camera:
    """The device D1 with its key, as it speaks to the platform."""

    district: District
    staff: Caller
    key: str

    def send(self, *photos: bytes, key: str = "", clip: bytes | None = None, **observation: Any) -> TestResponse:
        """Send photos and a clip as one observation; fields of the observation may be changed."""
        told = {
            "device": "D1",
            "event_id": "event-1",
            "device_time": datetime.now(UTC).isoformat(),
            "violation": "mixed_waste",
            **observation,
        }
        return self.post(json.dumps(told), *photos, key=key, clip=clip)

    def post(
        self, metadata: str, *photos: bytes, key: str = "", signed: bool = True, clip: bytes | None = None
    ) -> TestResponse:
        """Send a form as it stands."""
        headers = {"X-Signature": signature(key or self.key, metadata.encode(), photos, clip)} if signed else {}
        return self.district.anyone(
            "POST", "/api/v1/evidence/captures", data=form(metadata, *photos, clip=clip), headers=headers
        )


def form(metadata: str, *photos: bytes, clip: bytes | None = None) -> dict[str, Any]:
    """Return the parts of a form."""
    files = [(io.BytesIO(photo), f"{number}.jpg") for number, photo in enumerate(photos)]
    film = {"clip": (io.BytesIO(clip), "clip.mp4")} if clip is not None else {}
    return {"metadata": metadata, "photos": files, **film}


def report(by: Caller, *photos: bytes, key: str = "", **told: Any) -> TestResponse:
    """Send a report of a person; `told` is changed where a test says so, None leaves a field out."""
    content = {"violation": "mixed_waste", "point": "T1", **told}
    metadata = json.dumps({name: value for name, value in content.items() if value is not None})
    headers = {"Idempotency-Key": key} if key else {}
    return by.call("POST", "/api/v1/evidence/reports", data=form(metadata, *photos), headers=headers)


def ledger(kind: str = "", capture: str = "") -> list[dict[str, Any]]:
    """Return the entries of the ledger in the order in which they were written, chained or not yet."""
    names = ("evidence_ledger", "evidence_ledger_waiting")
    rows = {row["_id"]: row for name in names for row in database()[name].find()}
    entries = sorted(rows.values(), key=lambda row: row["_id"])
    return [row for row in entries if kind in ("", row["kind"]) and capture in ("", row["subject_id"])]


@pytest.fixture
def camera(district: District) -> Camera:
    """Register a camera at a drop-off point and give it a key."""
    staff = district.sign_in()
    device = district.furnish(staff)["camera"]
    issued = staff.call("POST", f"/api/v1/devices/{device['id']}/signing-key", etag=device["etag"])
    return Camera(district, staff, issued.json["signing_key"])


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the real face detector."""
    return weights.face_models(tmp_path_factory.mktemp("faces"))


@pytest.fixture
def with_models(faces: Path, district: District) -> Iterator[None]:
    """Configure the real models."""
    before = settings_module.current()
    labels = str(weights.coco_labels())
    settings_module.configure(
        dataclasses.replace(before, face_models=str(faces), object_model=str(weights.yolo()), object_labels=labels)
    )
    yield
    settings_module.configure(before)


def work(queue: str = "vision") -> None:
    """Do what waits on a queue, in this process, as its worker would."""
    deliver_due()
    run_worker([queue], burst=True)
