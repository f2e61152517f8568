"""A confirmed case in a small district: two photos of a camera, what was made of them, and two people's decision."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from backend.blobs import put
from backend.events import deliver_due
from backend.jobs import run_worker
from backend.plugin_api import Actor, acting, atomically, utcnow
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture, Exhibit, LegalRecord, Photo
from plugins.evidence.captures.originals import note_originals
from plugins.evidence.cases.models import CASE_FLOW, Case, Decision
from plugins.evidence.custody import note
from plugins.evidence.handover.models import HandOver
from tests.district import EAST_ONE, Caller, District

SPACE = "33"
CAMERA = Actor(id="D1", name="1 号摄像机", kind="device", address="10.0.0.5")
LEGAL = {
    "review_document": "法审〔2026〕8 号",
    "reviewed_on": "2026-03-01",
    "standard": "GB 37300-2018",
    "sign_photo": "sign.jpg",
    "publication": "https://example.org/cameras",
}


def picture(seed: int, side: int = 32) -> bytes:
    """Return a small JPEG unlike every other."""
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3)).save(out, "JPEG")
    return out.getvalue()


def kept(content: bytes) -> dict[str, Any]:
    """Store a picture; returns what a record keeps of it."""
    blob = put(content, media_type="image/jpeg", space=SPACE)
    return {"sha256": blob.sha256, "sm3": blob.sm3, "media_type": "image/jpeg"}


@dataclass
class Ground:
    """The district with a confirmed case, the person who hands it over and the officer who takes it."""

    district: District
    staff: Caller
    officer: Caller
    case: Case
    bystander: str

    def hand_over(self, kind: str = "penalty", **options: Any) -> Any:
        """Ask for the hand-over of the case as it is now."""
        case = Case.objects.get(id=self.case.id)
        told = {"kind": kind, "purpose": "移送处罚", "recipient": "甲区综合行政执法局"}
        return self.staff.call(
            "POST",
            f"/api/v1/evidence/cases/{case.id}/hand-over",
            json={**told, **options},
            etag=f"{case.id}-{case.version}",
        )

    def package(self) -> bytes:
        """Hand the case over, let the worker work, and return the package as the officer gets it."""
        answer = self.hand_over()
        assert answer.status_code == 202, answer.text
        work()
        return self.download(answer.json["id"])

    def download(self, id: str) -> bytes:
        """Return the package as the officer gets it."""
        address = f"/api/v1/evidence/hand-overs/{id}/package"
        answer = self.officer.call("GET", address, query_string={"purpose": "立案"})
        assert answer.status_code == 200, answer.text
        return answer.data

    def of_case(self) -> HandOver:
        """Return the hand-over as stored."""
        return HandOver.objects.get(case=self.case.id)


def work() -> None:
    """Do what waits on the queue of reports, in this process."""
    deliver_due()
    run_worker(["reports"], burst=True)


@pytest.fixture
def ground(district: District) -> Ground:
    """Make the case."""
    staff, officer = district.sign_in(), district.sign_in("enforcement_officer")
    now = utcnow()
    photos = [Photo(**kept(content), size=len(content), width=32, height=32) for content in (picture(1), picture(2))]
    capture = Capture(
        area=EAST_ONE,
        source="device",
        sender="D1",
        device="D1",
        device_name="1 号摄像机",
        legal=LegalRecord(**LEGAL),
        event_id="e1",
        point="T1",
        point_name="阳光花园 1 号投放点",
        point_kind="drop_off_point",
        place={"type": "Point", "coordinates": [120.1, 30.2]},
        violation="mixed_waste",
        device_time=now - timedelta(seconds=2),
        received_at=now,
        clock_offset=2.0,
        source_address="10.0.0.5",
        photos=photos,
    )
    CAPTURE_FLOW.begin(capture, actor=CAMERA)
    case = Case(
        area=EAST_ONE,
        number="甲区分类案〔2026〕1 号",
        point="T1",
        point_name="阳光花园 1 号投放点",
        place={"type": "Point", "coordinates": [120.1, 30.2]},
        violation="mixed_waste",
        captures=[capture.id],
        first_at=now,
        last_at=now,
        penalty=True,
        decisions=[
            Decision(verb="propose_penalty", by="u1", name="王复核", at=now, reason="画面清楚"),
            Decision(verb="countersign", by="u2", name="李会签", at=now, reason="同意"),
        ],
    )
    CASE_FLOW.begin(case, actor=CAMERA)
    case.state, capture.case, capture.state = "confirmed", case.id, "extracted"
    faces = [exhibit(capture, "face", number, [number * 10, 0, number * 10 + 8, 8]) for number in (0, 1)]
    case.subject, bystander = faces[0].id, faces[1]
    waste = exhibit(capture, "object", 1, [0, 20, 8, 28])
    case.waste = waste.id
    others = [
        exhibit(capture, "masked_copy", 1, [0, 0, 32, 32]),
        exhibit(capture, "masked_thumbnail", 1, [0, 0, 32, 32]),
        exhibit(capture, "object", 2, [9, 0, 30, 30], label="person"),
        exhibit(capture, "subject_copy", 1, [0, 0, 32, 32], subject=faces[0].id),
        exhibit(capture, "subject_copy", 2, [0, 0, 32, 32], subject=bystander.id),
    ]

    def write() -> None:
        capture.save(force_insert=True)
        case.save(force_insert=True)
        for each in (*faces, waste, *others):
            each.save(force_insert=True)
        with acting(CAMERA):
            note_originals(capture)
            note("bundled", area=case.area, subject="evidence.case", subject_id=str(case.id), case=str(case.id))

    atomically(write)
    return Ground(district, staff, officer, case, bystander.sha256)


def exhibit(capture: Capture, kind: str, number: int, box: list[float], **more: Any) -> Exhibit:
    """Return an exhibit of the capture's first photo."""
    content = kept(picture(hash((kind, number)) % 1000 + 10, 16))
    made_by = {"step": "cut", "model": "scrfd", "score": 0.9}
    where = {"area": capture.area, "capture": capture.id, "photo": 0}
    return Exhibit(**where, **content, kind=kind, number=number, box=box, made_by=made_by, **more)
