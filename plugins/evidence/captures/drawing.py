"""What a person decides about a photo: a region that no machine found, and who of the people on it the case is about.

The request writes down who decided; the picture is made afterwards, where the models are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Event,
    Forbidden,
    Postponed,
    Principal,
    Problem,
    atomically,
    audit,
    current_settings,
    district_of,
    get_blob,
    get_logger,
    permitted,
    publish,
    put_blob,
    utcnow,
)
from plugins.evidence.captures.derived import as_text, exhibit_of, note_exhibit
from plugins.evidence.captures.models import Capture, Exhibit
from plugins.evidence.captures.naming import USER
from plugins.evidence.captures.reading import find_capture
from plugins.evidence.custody import note
from plugins.evidence.vision import ExtractionFailed, ModelMissing, Picture, cut_region, models, subject_copy

log = get_logger(__name__)

#: What a person may draw: the kind of exhibit that it becomes, and what it is called without a word of his or her own.
DRAWN = {"waste": ("object", "垃圾"), "person": ("face", "当事人")}


def draw(by: Principal, capture_id: ObjectId, told: Mapping[str, Any]) -> ObjectId:
    """Write down that a person drew a region, and promise its picture; returns the id that the exhibit will have.

    Raises Problem `unreadable_image` when nothing can be cut out of the photo: the person is told at once.
    """
    row = find_capture(by, capture_id)
    if not any(permitted(by, permission, row["area"]) for permission in ("evidence:review", "evidence:edit")):
        raise Forbidden
    if row["state"] != "extracted" or row.get("shredding_at"):
        raise Problem("conflict", detail="取证尚未提取完成，或照片已销毁，不能框选。")
    if told["photo"] >= len(row["photos"]):
        raise Problem("invalid", fields={"photo": ["没有这张照片。"]})
    try:
        cut_region(get_blob(row["photos"][told["photo"]]["sha256"], space=district_of(row["area"])), told["box"])
    except ExtractionFailed as error:
        raise Problem("unreadable_image", detail=f"不能从这张照片截取：{error}") from error
    exhibit_id = ObjectId()
    what = {"exhibit": str(exhibit_id), "photo": told["photo"], "kind": told["kind"], "box": told["box"]}

    def write() -> None:
        subject = {"subject": "evidence.capture", "subject_id": str(capture_id), "area": row["area"]}
        audit.record("evidence.region.draw", **subject, detail=what)
        sha256, case = row["photos"][told["photo"]]["sha256"], str(row.get("case") or "")
        note("drawn", **subject, case=case, sha256=sha256, detail=as_text(what))
        payload = {"capture": str(capture_id), **what, "label": told.get("note", ""), "by": str(by.id)}
        publish("evidence.region_drawn", payload, area=row["area"])

    atomically(write)
    return exhibit_id


def cut_drawn(event: Event) -> None:
    """Make the exhibit of a region that a person drew; done already, it does nothing."""
    told = event.payload
    capture = Capture.objects(id=ObjectId(told["capture"])).first()
    if capture is None or capture.shredding_at or Exhibit.objects(id=ObjectId(told["exhibit"])).first():
        return
    kind, title = DRAWN[told["kind"]]
    photo = get_blob(capture.photos[told["photo"]].sha256, space=district_of(capture.area))
    try:
        picture = cut_region(photo, told["box"])
    except ExtractionFailed as error:  # it could be cut when it was drawn: an update of the decoder, for example
        log.error("a drawn region cannot be cut", capture=told["capture"], reason=str(error))
        return
    made_by = {**picture.made_by, "tool": "person", "by": told["by"]}
    named = Picture(kind, picture.content, picture.box, made_by, told["label"] or title, source="person")  # type: ignore[arg-type]
    add(capture, told["photo"], named, exhibit_id=ObjectId(told["exhibit"]))


def copy_subject(event: Event) -> None:
    """Make the photo on which only the person whom the case is about is not masked; made already, it does nothing."""
    shown = Exhibit.objects(id=ObjectId(event.payload["subject"])).first() if event.payload["subject"] else None
    capture = Capture.objects(id=shown.capture).first() if shown else None
    if shown is None or capture is None or capture.shredding_at:
        return
    if Exhibit.objects(capture=capture.id, photo=shown.photo, kind="subject_copy", subject=shown.id).first():
        return
    try:
        loaded = models()
    except ModelMissing as error:
        raise Postponed(str(error), seconds=current_settings().model_wait_seconds) from error
    photo = get_blob(capture.photos[shown.photo].sha256, space=district_of(capture.area))
    try:
        copy = subject_copy(photo, tuple(shown.box), loaded)
    except ExtractionFailed as error:  # a package then has the masked copy in its place
        log.error("no copy of the subject", capture=str(capture.id), reason=str(error))
        return
    add(capture, shown.photo, copy, subject=shown.id)


def add(
    capture: Capture,
    photo: int,
    picture: Picture,
    *,
    exhibit_id: ObjectId | None = None,
    subject: ObjectId | None = None,
) -> None:
    """Store a picture as the next of its kind on a photo, with its ledger entry.

    Two at once want one number: the unique index refuses the second, whose event is delivered again.
    """
    blob = put_blob(picture.content, media_type="image/jpeg", space=district_of(capture.area), user=USER)
    last = Exhibit.objects(capture=capture.id, photo=photo, kind=picture.kind).order_by("-number").first()
    exhibit = exhibit_of(capture, photo, last.number + 1 if last else 1, picture, blob, exhibit_id=exhibit_id)
    exhibit.subject = subject

    def write() -> None:
        # Whoever deletes the capture has changed it, or will find the exhibit.
        there = {"_id": capture.id, "shredding_at": None}
        touched = Capture._get_collection().update_one(
            there, {"$inc": {"version": 1}, "$set": {"updated_at": utcnow()}}
        )
        if not touched.modified_count:
            return
        exhibit.save(force_insert=True)
        note_exhibit(capture, capture.photos[photo], exhibit)

    atomically(write)
