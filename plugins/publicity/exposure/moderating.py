"""What staff do with exposures: look through, edit with the original kept, accept, reject, blacken, hide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    atomically,
    audit,
    current_actor,
    mark_dirty,
    publish,
    require,
    scope_filter,
    utcnow,
)
from plugins.publicity.exposure.categories import categories, category_of
from plugins.publicity.exposure.models import FLOW, MODERATE, VIEW, Exposure
from plugins.publicity.exposure.pictures import Boxes, forget_copies
from plugins.publicity.exposure.reporting import METRIC

MOST_BOXES = 20


def find_exposure(by: Principal, exposure_id: ObjectId, permission: str = VIEW) -> Exposure:
    """Return an exposure that the person may treat; raises Problem `not_found`."""
    query = {"$and": [{"_id": exposure_id}, scope_filter(by, permission)]}
    exposure = Exposure.objects(__raw__=query).first()
    if exposure is None:
        raise Problem("not_found")
    return exposure


def edit(by: Principal, exposure: Exposure, values: Mapping[str, Any]) -> Exposure:
    """Change text and category as others read them; the text that came stays beside it.

    What is on the public list was looked at as it was: any change takes it from there.
    """
    require(by, MODERATE, exposure.area)
    if exposure.state not in ("received", "reopening", "rejected") and "category" in values:
        raise Problem("conflict", detail="已立案的曝光不能再改类别。")
    if "category" in values:
        exposure.category = category_of(values["category"]).code
    if "text" in values:
        exposure.edited = values["text"]
    exposure.published_at = None
    detail = {"fields": sorted(values)}
    return changed(exposure, lambda: audit.record("publicity.exposure.edit", **about(exposure), detail=detail))


def accept(by: Principal, exposure: Exposure) -> Exposure:
    """Let an exposure become an alert; raises Problem `category_needed` where its category leads to none."""
    require(by, MODERATE, exposure.area)
    if not categories()[exposure.category].alert_kind:
        raise Problem("category_needed")
    told = {"exposure": str(exposure.id), "round": (exposure.again or 0) + 1}
    return moved(
        exposure, "accept", {"again": told["round"]}, lambda: publish("exposure.accepted", told, area=exposure.area)
    )


def reject(by: Principal, exposure: Exposure, reason: str) -> Exposure:
    """Refuse an exposure; its reporter reads the reason."""
    require(by, MODERATE, exposure.area)
    return moved(exposure, "reject", {"reason": reason}, note=reason)


def restore(by: Principal, exposure: Exposure) -> Exposure:
    """Look through a refused exposure again."""
    require(by, MODERATE, exposure.area)
    return moved(exposure, "restore", {"reason": None})


def decline(by: Principal, exposure: Exposure, reason: str) -> Exposure:
    """Refuse to handle an exposure anew."""
    require(by, MODERATE, exposure.area)
    return moved(exposure, "decline", {"reason": reason}, note=reason)


def hide(by: Principal, exposure: Exposure, *, hidden: bool, reason: str) -> Exposure:
    """Hide an exposure from public and suggestions, or show it there again; by that it is not published anew."""
    require(by, MODERATE, exposure.area)
    exposure.hidden = hidden
    exposure.published_at = None

    def tell() -> None:
        if hidden:
            audit.record("publicity.exposure.hide", **about(exposure), detail={"reason": reason})
        else:
            audit.record("publicity.exposure.show", **about(exposure), detail={"reason": reason})

    return changed(exposure, tell)


def blacken(by: Principal, exposure: Exposure, number: int, boxes: Boxes) -> Exposure:
    """Set the regions of a photo that are black in every copy; copies that show more are destroyed.

    Until new ones are made nobody sees the photo; a published exposure is taken from the list.
    """
    require(by, MODERATE, exposure.area)
    photo = photo_of(exposure, number)
    photo.boxes = [[float(edge) for edge in box] for box in boxes]
    gone = forget_copies(photo)
    exposure.published_at = None
    told = {"exposure": str(exposure.id), "gone": gone}

    def tell() -> None:
        audit.record("publicity.exposure.blacken", **about(exposure), detail={"photo": number, "boxes": len(boxes)})
        publish("exposure.blackened", told, area=exposure.area)

    return changed(exposure, tell, photos=True)


def photo_of(exposure: Exposure, number: int) -> Any:
    """Return one photo; raises Problem `not_found`."""
    if not 0 <= number < len(exposure.photos):
        raise Problem("not_found")
    return exposure.photos[number]


def publish_exposure(by: Principal, exposure: Exposure, text: str, photos: Sequence[int]) -> Exposure:
    """Put a handled exposure on the public list: with a text, and with those photos a moderator has looked at.

    Raises Problem `not_handled`, or `photo_not_masked` for a photo without a masked copy.
    """
    require(by, MODERATE, exposure.area)
    if exposure.state != "handled" or exposure.hidden:
        raise Problem("not_handled")
    if any(not photo_of(exposure, number).masked for number in photos):
        raise Problem("photo_not_masked")
    exposure.published_at, exposure.published_text = utcnow(), text
    exposure.published_photos = sorted(set(photos))
    told = {"exposure": str(exposure.id), "number": exposure.number}

    def tell() -> None:
        detail = {"photos": list(exposure.published_photos)}
        audit.record("publicity.exposure.publish", **about(exposure), detail=detail)
        publish("exposure.published", told, area=exposure.area)

    return changed(exposure, tell)


def withdraw(by: Principal, exposure: Exposure, reason: str) -> Exposure:
    """Take an exposure from the public list."""
    require(by, MODERATE, exposure.area)
    exposure.published_at = None
    detail = {"reason": reason}
    return changed(exposure, lambda: audit.record("publicity.exposure.withdraw", **about(exposure), detail=detail))


def changed(exposure: Exposure, tell: Callable[[], object], *, photos: bool = False) -> Exposure:
    """Store a changed exposure if nobody else changed it meanwhile, and `tell` with it; raises `stale_version`.

    Copies are made meanwhile, without a new version: so photos are only written by who changes their boxes.
    """
    exposure.validate()
    seen = {"_id": exposure.id, "version": exposure.version}
    exposure.version += 1
    exposure.updated_at = utcnow()
    row = dict(exposure.to_mongo())
    left = ("_id", "timeline", "steps", *(() if photos else ("photos",)))
    update = {"$set": {name: value for name, value in row.items() if name not in left}}
    if gone := {name: "" for name in ("published_at", "edited", "reason") if name not in row}:
        update["$unset"] = gone

    def write() -> None:
        if not Exposure._get_collection().update_one(seen, update).modified_count:
            raise Problem("stale_version")
        tell()
        mark_dirty(METRIC, exposure.area, exposure.reported_at)

    atomically(write)
    return exposure


def about(exposure: Exposure) -> dict[str, str]:
    """Return whom an audit entry is about."""
    return {"subject": "publicity.exposure", "subject_id": str(exposure.id), "area": exposure.area}


def moved(
    exposure: Exposure,
    verb: str,
    changes: Mapping[str, Any],
    tell: Callable[[], object] = lambda: None,
    *,
    note: str = "",
) -> Exposure:
    """Move an exposure on, with its audit entry; raises Problem `conflict` or `stale_version`."""

    def write() -> Exposure:
        after = FLOW.fire(exposure, verb, actor=current_actor(), note=note, changes=changes)
        audit.record("publicity.exposure.move", **about(exposure), detail={"verb": verb, "note": note})
        tell()
        mark_dirty(METRIC, exposure.area, exposure.reported_at)
        return after

    try:
        return atomically(write)
    except IllegalTransition as error:
        raise Problem("conflict", detail=f"“{FLOW.states[exposure.state]}”的曝光不能这样处理。") from error
    except StaleVersion as error:
        raise Problem("stale_version") from error
