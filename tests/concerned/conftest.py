"""A confirmed case with a masked picture in a small district, and the people who deal with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from backend import storage
from backend.plugin_api import Actor, put_blob, utcnow
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture, Exhibit, Photo
from plugins.evidence.cases.models import CASE_FLOW, Case
from plugins.evidence.concerned.notice import notice_code, serve
from tests.district import DISTRICT, EAST_ONE, Caller, District

SOMEBODY = Actor(id="test", name="测试", kind="user")
API = "/api/v1/evidence/notice"


def picture(colour: str = "teal", kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(out, kind)
    return out.getvalue()


def make_case(number: str, **values: Any) -> Case:
    """Store a case as confirmed, with one capture, its original and two pictures made of it."""
    now = utcnow()
    what = {"area": EAST_ONE, "point": "T1", "point_name": "阳光花园 1 号投放点", "violation": "mixed_waste"}
    original = put_blob(picture("red"), media_type="image/jpeg", space=DISTRICT)
    photo = Photo(
        sha256=original.sha256, sm3=original.sm3, media_type="image/jpeg", size=original.size, width=320, height=240
    )
    capture = Capture(
        **what,
        sender="D1",
        event_id=f"event-{number}",
        point_kind="投放点",
        device_time=now,
        received_at=now,
        clock_offset=0.0,
        photos=[photo],
    )
    CAPTURE_FLOW.begin(capture, actor=SOMEBODY).save(force_insert=True)
    for kind, colour in (("masked_copy", "teal"), ("face", "red")):
        ref = put_blob(picture(colour), media_type="image/jpeg", space=DISTRICT)
        facts = {"sha256": ref.sha256, "sm3": ref.sm3, "media_type": "image/jpeg", "kind": kind, "number": 0}
        Exhibit(area=EAST_ONE, capture=capture.id, photo=0, **facts).save(force_insert=True)
    case = Case(number=number, captures=[capture.id], first_at=now, last_at=now, **what)
    CASE_FLOW.begin(case, actor=SOMEBODY).save(force_insert=True)
    return CASE_FLOW.fire(case, "confirm", actor=SOMEBODY, changes={"penalty": True, **values})


@dataclass
class Concerned:
    """The person concerned with a phone: a browser's cookies and no login."""

    client: FlaskClient
    code: str

    def open(self, code: str = "", **options: Any) -> Any:
        """Type a code."""
        return self.client.post(f"{API}/visits", json={"code": code or self.code}, **options)

    def record(self) -> dict[str, Any]:
        """Return the record as JSON."""
        answer = self.client.get(f"{API}/record")
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def defend(
        self, text: str = "当时袋子已经破了，并不是乱扔。", *photos: bytes, phone: str = "", key: str = ""
    ) -> Any:
        """State and defend."""
        files = [(io.BytesIO(photo), f"{number}.jpg") for number, photo in enumerate(photos)]
        headers = {"Idempotency-Key": key} if key else {}
        form = {"text": text, "photos": files, **({"phone": phone} if phone else {})}
        return self.client.post(f"{API}/defences", data=form, headers=headers)


@pytest.fixture
def case(district: District) -> Iterator[Case]:
    """Return a confirmed case that was told."""
    yield serve(make_case("33-2026-000001"))


@pytest.fixture
def person(district: District, case: Case) -> Concerned:
    """Return the person concerned, with the code of the case."""
    return Concerned(district.app.test_client(), notice_code(case))


@pytest.fixture
def staff(district: District) -> Caller:
    """Return somebody who reviews."""
    return district.sign_in("street_staff", "33/331")


def notes(kind: str) -> list[dict[str, Any]]:
    """Return the ledger's entries of a kind, chained or still waiting."""
    database = storage.database()
    rows = [
        *database["evidence_ledger"].find({"kind": kind}),
        *database["evidence_ledger_waiting"].find({"kind": kind}),
    ]
    return sorted(rows, key=lambda row: row["at"])


def expire(case: Case) -> None:
    """Let the time to defend be over."""
    Case._get_collection().update_one({"_id": case.id}, {"$set": {"defence_until": utcnow() - timedelta(seconds=1)}})
