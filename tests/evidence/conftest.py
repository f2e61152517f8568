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
from plugins.evidence.captures.intake import signature
from tests.district import Caller, District
from tests.vision import weights


@dataclass
class Camera:
    """The device D1 with its key, as it speaks to the platform."""

    district: District
    staff: Caller
    key: str

    def send(self, *photos: bytes, key: str = "", **observation: Any) -> TestResponse:
        """Send photos as one observation; fields of the observation may be changed."""
        told = {
            "device": "D1",
            "event_id": "event-1",
            "device_time": datetime.now(UTC).isoformat(),
            "violation": "mixed_waste",
            **observation,
        }
        return self.post(json.dumps(told), *photos, key=key)

    def post(self, metadata: str, *photos: bytes, key: str = "", signed: bool = True) -> TestResponse:
        """Send a form as it stands."""
        headers = {"X-Signature": signature(key or self.key, metadata.encode(), photos)} if signed else {}
        files = [(io.BytesIO(photo), f"{number}.jpg") for number, photo in enumerate(photos)]
        return self.district.anyone(
            "POST", "/api/v1/evidence/captures", data={"metadata": metadata, "photos": files}, headers=headers
        )


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
