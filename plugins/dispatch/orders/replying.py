"""Take a handler's reply (回单): what was done, with the proof that the order asks for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from backend.plugin_api import BlobUser, Principal, Problem, district_of, put_blob, read_photo, utcnow
from plugins.dispatch.orders.models import Picture, Reply, WorkOrder
from plugins.dispatch.orders.steps import check, take_step

#: What `put_blob` is told of whoever keeps the photos of replies.
USER = "dispatch.replies"
EARTH_METRES = 6_371_000.0
#: A phone that is not sure where it is may say so up to here; beyond, its accuracy excuses nothing.
MOST_ACCURACY = 200.0


def reply(
    by: Principal,
    order: WorkOrder,
    given: Mapping[str, Any],
    photos: Mapping[str, Sequence[bytes]],
    *,
    at: datetime | None = None,
) -> WorkOrder:
    """Take a reply and return the order, waiting to be verified; `photos` by stage: before, after.

    Raises what a step does, and Problem: `proof_missing` naming what lacks, `too_far_away`, unreadable photos.
    """
    check(by, order, "reply", "")
    kept = [(stage, data, read_photo(data, stage)) for stage, every in photos.items() for data in every]
    place = position(given)
    away = distance(order, place)
    answer = Reply(
        by=str(by.id),
        name=by.name,
        at=at or utcnow(),
        note=given.get("note") or None,
        place=place,
        accuracy=given.get("accuracy"),
        distance=None if away is None else round(away, 1),
    )
    check_proof(order, answer, [stage for stage, _, _ in kept])
    space = district_of(order.area)
    for stage, data, facts in kept:
        blob = put_blob(data, media_type=facts.media_type, space=space, user=USER)
        answer.pictures.append(
            Picture(
                sha256=blob.sha256, media_type=facts.media_type, width=facts.width, height=facts.height, stage=stage
            )
        )
    return take_step(by, order, "reply", reason=answer.note or "", changes={"replies": [*order.replies, answer]}, at=at)


def check_proof(order: WorkOrder, answer: Reply, stages: Sequence[str]) -> None:
    """Raise Problem unless a reply holds what the order asks for."""
    if lacking := missing(order, answer, stages):
        raise Problem("proof_missing", fields={name: [sentence] for name, sentence in lacking.items()})
    if "place" in order.proof and answer.distance is not None:
        allowed = order.far_metres + min(answer.accuracy or 0, MOST_ACCURACY)
        if answer.distance > allowed:
            far = f"定位距派单地点 {answer.distance:.0f} 米，超过允许的 {order.far_metres} 米，请到现场回单。"
            raise Problem("too_far_away", detail=far, fields={"longitude": [far]})


def missing(order: WorkOrder, answer: Reply, stages: Sequence[str]) -> dict[str, str]:
    """Return what a reply lacks of the proof that is asked for, each with a sentence."""
    faults = {
        "before_photo": ("before", "请上传处置前照片。", "before" in stages),
        "after_photo": ("after", "请上传处置后照片。", "after" in stages),
        "place": ("longitude", "请允许定位，回单须有现场位置。", answer.place is not None),
        "note": ("note", "请填写处置说明。", bool((answer.note or "").strip())),
    }
    return {faults[each][0]: faults[each][1] for each in order.proof if each in faults and not faults[each][2]}


def has_proof(order: WorkOrder) -> bool:
    """Tell whether the last reply of an order holds all that is asked for."""
    if not order.replies:
        return False
    last = order.replies[-1]
    return not missing(order, last, [each.stage for each in last.pictures])


def position(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where the phone was, as a GeoJSON point."""
    lon, lat = given.get("longitude"), given.get("latitude")
    return None if lon is None or lat is None else {"type": "Point", "coordinates": [lon, lat]}


def distance(order: WorkOrder, place: Mapping[str, Any] | None) -> float | None:
    """Return the metres between an order and a place, or None where one of them is not known."""
    at = order.to_mongo().get("place")
    if place is None or not at:
        return None
    (west, south), (east, north) = (map(math.radians, each["coordinates"]) for each in (at, place))
    half = math.sin((north - south) / 2) ** 2
    half += math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, half)))


def named(space: str, hashes: Sequence[str]) -> Collection[str]:
    """Return those of the hashes that a reply of this district bears."""
    query = {"replies.pictures.sha256": {"$in": list(hashes)}, "area": {"$gte": space, "$lt": f"{space}0"}}
    rows = WorkOrder._get_collection().find(query, {"replies.pictures.sha256": 1})
    return {sha256 for row in rows for sha256 in hashes_in(row)} & set(hashes)


def hashes_in(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the photos that an order names."""
    for answer in row.get("replies", ()):
        yield from (picture["sha256"] for picture in answer.get("pictures", ()))


BLOB_USER = BlobUser(name=USER, referenced=named)
