"""Take frames out of a clip, faces and waste out of photos, and make the copies that everyone may see."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
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
    open_blob,
    publish,
    put_blob,
)
from plugins.evidence.captures.derived import exhibit_of, note_exhibit, note_frame
from plugins.evidence.captures.models import CAPTURE_FLOW, MASKED, Capture, Exhibit, Photo
from plugins.evidence.captures.naming import USER
from plugins.evidence.vision import (
    Extraction,
    ExtractionFailed,
    Frame,
    ModelMissing,
    Models,
    Region,
    extract,
    frames_of,
    models,
)

PHOTO_TYPE = "image/jpeg"


@dataclass(frozen=True)
class Seen:
    """One photo of a capture with what the vision functions made of it."""

    number: int
    photo: Photo
    extraction: Extraction


def extract_capture(event: Event) -> None:
    """Work on the capture of an `evidence.captured` event; done already, it does nothing.

    The pictures are made first and kept under the hash of their content; then one transaction writes all exhibits and
    the capture's new state. Killed anywhere, the next run makes the same again and nothing stands twice.
    """
    capture = Capture.objects(id=ObjectId(event.payload["capture"])).first()
    if capture is None or capture.state != CAPTURE_FLOW.initial:
        return
    try:
        seen = look_at(capture, models())
    except ModelMissing as error:
        raise Postponed(str(error), seconds=current_settings().model_wait_seconds) from error
    except ExtractionFailed as error:
        settle(capture, "fail", [], note=str(error))
    else:
        settle(capture, "extract", seen)


def look_at(capture: Capture, loaded: Models) -> list[Seen]:
    """Return what is on each photo of a capture, and on the frames of its clip that can be worked on.

    An original that cannot be worked on fails the whole capture: raises ExtractionFailed. Of a clip's frames those are
    left out; when that leaves nothing that shows the event, it fails, too.
    """
    space = district_of(capture.area)
    before = photo_before(capture)
    seen: list[Seen] = []
    for number, photo in enumerate(capture.photos):
        content, earlier = get_blob(photo.sha256, space=space), None if photo.before else before
        seen.append(Seen(number, photo, extract(content, regions_of(capture, number), loaded, before=earlier)))
    if capture.clip is None:
        return seen
    last: ExtractionFailed | None = None
    for frame in frames_in(capture, loaded):
        try:
            extraction = extract(frame.content, [], loaded, before=before)
        except ExtractionFailed as error:
            last = error
            continue
        seen.append(Seen(len(seen), keep_frame(frame, extraction, space), extraction))
    if all(each.photo.before for each in seen):
        raise last or ExtractionFailed("视频中没有可用的画面。")
    return seen


def photo_before(capture: Capture) -> bytes | None:
    """Return the last photo of the place before the event, if there is one."""
    before = [photo for photo in capture.photos if photo.before]
    return get_blob(before[-1].sha256, space=district_of(capture.area)) if before else None


def frames_in(capture: Capture, loaded: Models) -> list[Frame]:
    """Return the best frames of the capture's clip; raises ExtractionFailed or ModelMissing."""
    with as_file(capture) as path:
        return frames_of(path, loaded)


@contextmanager
def as_file(capture: Capture) -> Iterator[Path]:
    """Write the capture's clip where a decoder can read it: into a file without a name, gone with this process."""
    with tempfile.TemporaryFile() as file:
        for part in open_blob(capture.clip.sha256, space=district_of(capture.area)):
            file.write(part)
        file.flush()
        yield Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")


def keep_frame(frame: Frame, extraction: Extraction, space: str) -> Photo:
    """Store a frame and return it as a photo of its capture."""
    blob = put_blob(frame.content, media_type=PHOTO_TYPE, space=space, user=USER)
    return Photo(
        sha256=blob.sha256,
        sm3=blob.sm3,
        media_type=PHOTO_TYPE,
        size=blob.size,
        width=extraction.width,
        height=extraction.height,
        frame_at=frame.seconds,
        made_by=dict(frame.made_by),
    )


def settle(capture: Capture, verb: str, seen: Sequence[Seen], note: str = "") -> None:
    """Write the outcome in one transaction, unless another run has done so already."""
    exhibits = [exhibit for each in seen for exhibit in exhibits_of(capture, each)]
    found = found_in(exhibits)
    findings = list(dict.fromkeys(said for each in seen for said in each.extraction.notes))
    changes: dict[str, Any] = {"found": found, "findings": findings, "thumbnail": thumbnail_of(seen, exhibits)}
    frames = [each.photo for each in seen if each.photo.frame_at is not None]
    if frames:
        changes["photos"] = [*capture.photos, *frames]

    def write() -> None:
        CAPTURE_FLOW.fire(capture, verb, actor=current_actor(), note=note, changes=changes)
        if exhibits:
            Exhibit._get_collection().insert_many([exhibit.to_mongo() for exhibit in exhibits])
        for each in seen:
            if each.photo.frame_at is not None:
                note_frame(capture, each.number, each.photo)
        for exhibit in exhibits:
            note_exhibit(capture, seen[exhibit.photo].photo, exhibit)
        told = "evidence.extracted" if verb == "extract" else "evidence.extraction_failed"
        publish(told, {"capture": str(capture.id), **found}, area=capture.area)
        mark_dirty("evidence.captures", capture.area, capture.received_at)

    try:
        atomically(write)
    except (IllegalTransition, StaleVersion):
        return


def found_in(exhibits: Sequence[Exhibit]) -> dict[str, Any]:
    """Sum up what was found on all photos."""
    if not exhibits:
        return {}
    return {
        "faces": sum(exhibit.kind == "face" for exhibit in exhibits),
        "objects": sum(exhibit.kind == "object" for exhibit in exhibits),
        "labels": sorted({exhibit.label for exhibit in exhibits if exhibit.label}),
    }


def thumbnail_of(seen: Sequence[Seen], exhibits: Sequence[Exhibit]) -> str | None:
    """Return the id of the first masked thumbnail that shows the event."""
    after = {each.number for each in seen if not each.photo.before}
    ids = (exhibit.id for exhibit in exhibits if exhibit.kind == "masked_thumbnail" and exhibit.photo in after)
    return str(found) if (found := next(ids, None)) else None


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


def exhibits_of(capture: Capture, seen: Seen) -> list[Exhibit]:
    """Keep the pictures derived from one photo and return their exhibits.

    Of a photo from before the event only the masked copies: whoever is on it has nothing to do with what came later.
    """
    counts: dict[str, int] = {}
    exhibits, space = [], district_of(capture.area)
    for picture in seen.extraction.pictures:
        if seen.photo.before and picture.kind not in MASKED:
            continue
        counts[picture.kind] = counts.get(picture.kind, 0) + 1
        blob = put_blob(picture.content, media_type=PHOTO_TYPE, space=space, user=USER)
        exhibits.append(exhibit_of(capture, seen.number, counts[picture.kind], picture, blob))
    return exhibits


def retry(capture: Capture) -> None:
    """Try a failed capture once more."""

    def write() -> None:
        CAPTURE_FLOW.fire(capture, "retry", actor=current_actor())
        publish("evidence.captured", {"capture": str(capture.id)}, area=capture.area)

    atomically(write)
