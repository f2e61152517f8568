"""What must be so in the end, whatever was killed on the way: looked at with the platform's own eyes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backend import blobs, rollups, settings
from backend.identity import district_of
from backend.protection import audit
from backend.storage import database
from plugins.evidence.captures.extraction import regions_of
from plugins.evidence.captures.models import Capture
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.verifying import districts, verify
from plugins.evidence.vision import Region, extract, models
from tests.district import EAST

#: The pictures of a capture: number of the photo, kind, label, hash; as JSON has them.
Pictures = list[list[Any]]


def broken_promises(sent: Mapping[str, Sequence[str]], expected: dict[str, Pictures]) -> dict[str, Any]:
    """Return as `broken` a sentence for each thing that is wrong; `sent` are the photos' hashes of each event id.

    `expected` are pictures that an earlier call has made anew, by capture; more are added, and it is returned, too.
    """
    # What killed processes left is cleared away first: nothing that is needed may go with it.
    blobs.remove_orphans(older_than_seconds=-1)
    rollups.recompute_dirty()
    broken = [*_captures(sent), *_exhibits(expected), *_blobs(), *_events(), *_trail(), *_ledger(), *_figures()]
    return {"broken": broken, "expected": expected}


def _captures(sent: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = Counter(row["event_id"] for row in database().evidence_captures.find())
    for event_id in sent:
        if found[event_id] != 1:
            yield f"event {event_id}: {found[event_id]} captures"
    if stray := found.keys() - sent.keys():
        yield f"captures of {stray}, which was never taken in"
    for row in database().evidence_captures.find():
        verbs = [entry["verb"] for entry in row["timeline"]]
        if (row["state"], verbs) != ("extracted", ["begin", "extract"]):
            yield f"capture {row['_id']}: {row['state']}, {verbs}"
        clip = [row["clip"]["sha256"]] if row.get("clip") else []
        if [*(photo["sha256"] for photo in taken(row)), *clip] != list(sent.get(row["event_id"], ())):
            yield f"capture {row['_id']} holds other photos or another clip than were sent"
        if clip and len(taken(row)) == len(row["photos"]):
            yield f"capture {row['_id']} has no frame of its clip"


def _exhibits(expected: dict[str, Pictures]) -> Iterator[str]:
    """Make all pictures anew from the originals and compare, one by one."""
    index = database().evidence_exhibits.index_information().values()
    if not any(each.get("unique") and len(each["key"]) == 4 for each in index):
        yield "the exhibits have lost their unique index"
    total = 0
    for capture in Capture.objects(state="extracted"):
        if str(capture.id) not in expected:
            expected[str(capture.id)] = [
                [number, picture.kind, picture.label, hashlib.sha256(picture.content).hexdigest()]
                for number, photo in enumerate(capture.photos)
                for picture in extract(original(photo.sha256, capture), named(capture, number), models()).pictures
            ]
        stored = list(database().evidence_exhibits.find({"capture": capture.id}))
        total += len(stored)
        found = [[each["photo"], each["kind"], each.get("label"), each["sha256"]] for each in stored]
        if sorted(found, key=str) != sorted(expected[str(capture.id)], key=str):
            yield f"capture {capture.id} has other exhibits than its photos give"
        if capture.thumbnail not in {str(each["_id"]) for each in stored if each["kind"] == "masked_thumbnail"}:
            yield f"capture {capture.id}: its thumbnail is none of its exhibits"
    if total != database().evidence_exhibits.count_documents({}):
        yield "there are exhibits of no extracted capture"


def taken(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the photos of a capture that came in; the others are frames of its clip."""
    return [photo for photo in row["photos"] if photo.get("frame_at") is None]


def named(capture: Capture, number: int) -> list[Region]:
    """Return the regions that the camera named on a photo; on a frame of a clip it names none."""
    return [] if capture.photos[number].frame_at is not None else regions_of(capture, number)


def original(sha256: str, capture: Capture) -> bytes:
    """Return a photo of a capture as it came."""
    return blobs.get(sha256, space=district_of(capture.area))


def _blobs() -> Iterator[str]:
    captures, exhibits = database().evidence_captures.find(), database().evidence_exhibits.find()
    needed = {(district_of(row["area"]), photo["sha256"]) for row in captures for photo in row["photos"]}
    clips = database().evidence_captures.find({"clip": {"$ne": None}})
    needed |= {(district_of(row["area"]), row["clip"]["sha256"]) for row in clips}
    needed |= {(district_of(row["area"]), row["sha256"]) for row in exhibits}
    kept = {(row["space"], row["sha256"]) for row in database().blobs.find()}
    for space, sha256 in needed | kept:
        try:
            if hashlib.sha256(blobs.get(sha256, space=space)).hexdigest() != sha256:
                yield f"blob {sha256} holds something else"
        except (blobs.BlobMissing, blobs.BlobDamaged) as error:
            yield f"blob {sha256}: {error!r}"
    objects = [path for path in (settings.current().data_dir / "blobs").rglob("*") if path.is_file()]
    if len(objects) != len(kept):
        yield f"{len(kept)} blobs, but {len(objects)} objects"


def _events() -> Iterator[str]:
    captures = Counter(str(row["_id"]) for row in database().evidence_captures.find({}, {"_id": 1}))
    for name in ("evidence.captured", "evidence.extracted"):
        if Counter(row["payload"]["capture"] for row in database().events.find({"name": name})) != captures:
            yield f"not one event {name} for each capture"
    if Counter(row["capture"] for row in database().counting_events.find({"name": "evidence.extracted"})) != captures:
        yield "not one evidence.extracted for each capture came to the plugin"
    if failed := database().counting_events.count_documents({"name": {"$ne": "evidence.extracted"}}):
        yield f"{failed} extractions failed"
    for row in database().events.find():
        states = [each["state"] for each in row["deliveries"]]
        if row["open"] or set(states) != {"done"}:
            yield f"event {row['name']} {row['_id']}: open {row['open']}, {row['deliveries']}"


def _trail() -> Iterator[str]:
    verified = audit.verify()
    if verified.fault:
        yield verified.sentence
    told = Counter(row["subject_id"] for row in database().audit_entries.find({"action": "evidence.capture.take_in"}))
    if told != Counter(str(row["_id"]) for row in database().evidence_captures.find({}, {"_id": 1})):
        yield "not one audit entry for each capture"


def _ledger() -> Iterator[str]:
    """Chain what waits and put it under roots; then every chain is whole, with one entry for each of all pictures."""
    for district in districts():
        make_roots(district)
        found = verify(district)
        if found.fault or found.entries != database().evidence_ledger.count_documents({"district": district}):
            yield f"the chain of {district}: {found.sentence}"
    if district_of(EAST) not in districts():
        yield "the district has no chain"
    if waiting := database().evidence_ledger_waiting.count_documents({}):
        yield f"{waiting} ledger entries were never chained"
    rows = list(database().evidence_ledger.find())
    originals = Counter((row["subject_id"], row["sha256"]) for row in rows if row["kind"] == "taken_in")
    captures = list(database().evidence_captures.find())
    came = [(str(row["_id"]), each["sha256"]) for row in captures for each in (*taken(row), row.get("clip")) if each]
    if originals != Counter(came):
        yield "not one ledger entry for each original"
    derived = [row for row in rows if row["kind"] == "derived"]
    frames = [(str(row["_id"]), each["sha256"]) for row in captures for each in row["photos"] if "frame_at" in each]
    taken_out = [(row["subject_id"], row["sha256"]) for row in derived if "exhibit" not in row["detail"]]
    if Counter(taken_out) != Counter(frames):
        yield "not one ledger entry for each frame"
    exhibits = Counter((row["detail"]["exhibit"], row["sha256"]) for row in derived if "exhibit" in row["detail"])
    if exhibits != Counter((str(row["_id"]), row["sha256"]) for row in database().evidence_exhibits.find()):
        yield "not one ledger entry for each exhibit"


def _figures() -> Iterator[str]:
    raw = Counter((row["area"], row["state"]) for row in database().evidence_captures.find())
    found = rollups.figures("evidence.captures", level="compound", by=("area", "state"))
    summed = dict(zip(found.keys, found.measures["count"].tolist(), strict=True))
    if summed != dict(raw):
        yield f"the figures say {summed}, the records {dict(raw)}"
    if left := database().rollup_marks.count_documents({}):
        yield f"{left} marks of figures were left behind"
