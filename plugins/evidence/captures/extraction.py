"""Take faces and waste out of a capture's photos, and make the copies that everyone may see."""

from __future__ import annotations

from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Event,
    IllegalTransition,
    Postponed,
    StaleVersion,
    atomically,
    current_actor,
    current_settings,
    district_of,
    get_blob,
    mark_dirty,
    publish,
    put_blob,
    utcnow,
)
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture, Exhibit
from plugins.evidence.vision import Extraction, ExtractionFailed, ModelMissing, Region, extract, models


def extract_capture(event: Event) -> None:
    """Work on the capture of an `evidence.captured` event; done already, it does nothing.

    The pictures are made first and kept under the hash of their content; then one transaction writes all exhibits and
    the capture's new state. Killed anywhere, the next run makes the same again and nothing stands twice.
    """
    capture = Capture.objects(id=ObjectId(event.payload["capture"])).first()
    if capture is None or capture.state != CAPTURE_FLOW.initial:
        return
    try:
        loaded = models()
    except ModelMissing as error:
        raise Postponed(str(error), seconds=current_settings().model_wait_seconds) from error
    try:
        extractions = [
            extract(get_blob(photo.sha256, space=district_of(capture.area)), regions_of(capture, number), loaded)
            for number, photo in enumerate(capture.photos)
        ]
    except ExtractionFailed as error:
        settle(capture, "fail", [], {}, note=str(error))
        return
    exhibits = [exhibit for number, each in enumerate(extractions) for exhibit in exhibits_of(capture, number, each)]
    found = {
        "faces": sum(exhibit.kind == "face" for exhibit in exhibits),
        "objects": sum(exhibit.kind == "object" for exhibit in exhibits),
        "labels": sorted({exhibit.label for exhibit in exhibits if exhibit.label}),
    }
    settle(capture, "extract", exhibits, found)


def settle(capture: Capture, verb: str, exhibits: list[Exhibit], found: dict[str, Any], note: str = "") -> None:
    """Write the outcome in one transaction, unless another run has done so already."""
    thumbnail = next((exhibit.id for exhibit in exhibits if exhibit.kind == "masked_thumbnail"), None)
    changes = {"found": found, "thumbnail": str(thumbnail) if thumbnail else None}

    def write() -> None:
        CAPTURE_FLOW.fire(capture, verb, actor=current_actor(), note=note, changes=changes)
        if exhibits:
            Exhibit._get_collection().insert_many([exhibit.to_mongo() for exhibit in exhibits])
        told = "evidence.extracted" if verb == "extract" else "evidence.extraction_failed"
        publish(told, {"capture": str(capture.id), **found}, area=capture.area)
        mark_dirty("evidence.captures", capture.area, capture.received_at)

    try:
        atomically(write)
    except (IllegalTransition, StaleVersion):
        return


def regions_of(capture: Capture, number: int) -> list[Region]:
    """Return the regions that the platform named on one photo."""
    found: list[Region] = []
    for region in capture.regions:
        if region["photo"] == number:
            known = Region(label=region["label"], box=region["box"])
            if "score" in region:
                known["score"] = region["score"]
            found.append(known)
    return found


def exhibits_of(capture: Capture, number: int, extraction: Extraction) -> list[Exhibit]:
    """Keep the derived pictures of one photo and return their exhibits."""
    counts: dict[str, int] = {}
    exhibits = []
    for picture in extraction.pictures:
        counts[picture.kind] = counts.get(picture.kind, 0) + 1
        blob = put_blob(picture.content, media_type="image/jpeg", space=district_of(capture.area))
        exhibits.append(
            Exhibit(
                area=capture.area,
                capture=capture.id,
                photo=number,
                kind=picture.kind,
                number=counts[picture.kind],
                sha256=blob.sha256,
                sm3=blob.sm3,
                media_type="image/jpeg",
                box=list(picture.box),
                label=picture.label,
                score=picture.score,
                source=picture.source,
                comparable=picture.comparable,
                made_by=dict(picture.made_by),
                created_at=utcnow(),
            )
        )
    return exhibits


def retry(capture: Capture) -> None:
    """Try a failed capture once more."""

    def write() -> None:
        CAPTURE_FLOW.fire(capture, "retry", actor=current_actor())
        publish("evidence.captured", {"capture": str(capture.id)}, area=capture.area)

    atomically(write)
