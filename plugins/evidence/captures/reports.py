"""Take in what people report: staff under their account, residents and volunteers under a pseudonym.

Who a resident is stands in one place alone, sealed in the capture. The trail, the ledger and every list know the
pseudonym, which is the same for all reports of one person and leads back to nobody.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from bson import ObjectId
from mongoengine.errors import NotUniqueError

from backend.plugin_api import (
    Actor,
    PlaceFacts,
    Principal,
    Problem,
    current_actor,
    drop_upload,
    find_place,
    find_place_near,
    finished_upload,
    own_phone,
    require,
    utcnow,
)
from plugins.evidence.captures.models import CAPTURE_FLOW, SOURCES, VIOLATIONS, Capture, pseudonym
from plugins.evidence.captures.originals import Originals, check_time, keep, repeated, sha256_of, write_down
from plugins.evidence.cases.models import Case

REPORT = "evidence:report"
#: How far from the place that a report names the drop-off point or station may be, in metres.
NEAR_METRES = 200
#: Who reports under a pseudonym.
CITIZENS = ("resident", "volunteer")

#: What the reporter reads while the report has no case, by the state of its capture.
BEFORE_REVIEW = {"received": "已收到，正在处理", "failed": "已收到，等待人工处理", "extracted": "已收到，等待复核"}
#: What the reporter reads by the state of the case.
IN_REVIEW = {
    "waiting": "正在复核",
    "countersigning": "正在复核",
    "merged": "正在复核",
    "confirmed": "已核实",
    "handed_over": "已核实，已移送执法部门",
    "received": "已核实，已移送执法部门",
    "rejected": "经复核，未认定为违规",
}


def take_in_report(
    by: Principal, told: Mapping[str, Any], photos: Sequence[bytes], *, key: str, address: str
) -> dict[str, Any]:
    """Keep one report and return its capture as stored; sent again with the same `key` it returns the capture it made.

    Raises Problem: bad originals, a place without a point near, a time that cannot be; Forbidden outside the own area.
    """
    received_at = utcnow()
    device_time = told.get("device_time") or received_at
    check_time(device_time, received_at)
    place = place_of(told)
    require(by, REPORT, place.area)
    citizen = by.user_type in CITIZENS
    sender = pseudonym(str(by.id)) if citizen else str(by.id)
    event_id = event_of(sender, key)
    if earlier := report_before(sender, event_id, photos):
        return earlier
    source = "resident" if citizen else "staff"
    with uploaded(told.get("clip_upload"), by) as clip:
        kept, film = keep(Originals(photos, clip=clip), place.area)
    capture = Capture(
        area=place.area,
        source=source,
        sender=sender,
        device_name=SOURCES[source],
        note=told.get("note"),
        event_id=event_id,
        point=place.code,
        point_name=place.name,
        point_kind=place.kind,
        place=None if place.lon is None else {"type": "Point", "coordinates": [place.lon, place.lat]},
        violation=told["violation"],
        device_time=device_time,
        received_at=received_at,
        clock_offset=(received_at - device_time).total_seconds(),
        source_address=None if citizen else address,
        photos=kept,
        clip=film,
    )
    actor = current_actor()
    if citizen:
        capture.reporter = identity_of(by, address)
        actor = Actor(id=sender, name="举报人", kind="resident")
    CAPTURE_FLOW.begin(capture, actor=actor)
    try:
        write_down(capture, actor)
    except NotUniqueError:
        if earlier := report_before(sender, event_id, photos):
            return earlier
        raise
    if upload := told.get("clip_upload"):
        drop_upload(upload)
    return dict(capture.to_mongo())


def place_of(told: Mapping[str, Any]) -> PlaceFacts:
    """Return the drop-off point or station that a report names, or that is nearest to the place it names."""
    if code := told.get("point"):
        place, code = find_place(code), "unknown_point"
    else:
        place, code = find_place_near(told["longitude"], told["latitude"], NEAR_METRES), "no_point_near"
    if place is None:
        raise Problem(code)
    return place


def event_of(sender: str, key: str) -> str:
    """Return a number for the report: the same for the same key, and one that does not tell the key."""
    return hashlib.sha256(f"{sender}\n{key}".encode()).hexdigest()[:32] if key else uuid.uuid4().hex


def report_before(sender: str, event_id: str, photos: Sequence[bytes]) -> dict[str, Any] | None:
    """Return the capture that this report made before; raises Problem when it came with other photos.

    The clip is not compared: once the report is taken in, its upload is gone.
    """
    row = Capture._get_collection().find_one({"sender": sender, "event_id": event_id})
    if row is None:
        return None
    return repeated(sender, event_id, [sha256_of(photo) for photo in photos], (row.get("clip") or {}).get("sha256"))


@contextmanager
def uploaded(upload: str | None, by: Principal) -> Iterator[BinaryIO | None]:
    """Give the content of a finished upload as a file, or None without one."""
    if upload is None:
        yield None
        return
    with closing(finished_upload(upload, by)) as file:
        yield file


def identity_of(by: Principal, address: str) -> str:
    """Return who the reporter is, to be sealed."""
    return json.dumps({"id": str(by.id), "name": by.name, "phone": own_phone(by), "address": address})


def own_reports(by: Principal) -> dict[str, Any]:
    """Return the filter of a person's own reports."""
    citizen = by.user_type in CITIZENS
    return {"sender": pseudonym(str(by.id)) if citizen else str(by.id)}


def report_views(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return reports as their reporter sees them: what was sent, and how far it has come in plain words."""
    wanted = [row["case"] for row in rows if row.get("case")]
    states: dict[ObjectId, str] = {}
    if wanted:
        cases = Case._get_collection().find({"_id": {"$in": wanted}}, {"state": 1})
        states = {case["_id"]: case["state"] for case in cases}
    return [report_view(row, states.get(row.get("case"))) for row in rows]  # type: ignore[arg-type]


def report_view(row: Mapping[str, Any], case_state: str | None) -> dict[str, Any]:
    """Return one report as its reporter sees it."""
    names = ("violation", "point", "point_name", "note", "device_time", "received_at")
    return {
        **{name: row.get(name) for name in names},
        "id": str(row["_id"]),
        "violation_title": VIOLATIONS[row["violation"]],
        "photos": sum(photo.get("frame_at") is None for photo in row["photos"]),
        "clip": bool(row.get("clip")),
        "state": IN_REVIEW[case_state] if case_state else BEFORE_REVIEW[row["state"]],
    }
