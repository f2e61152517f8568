"""What is reported already near a place, and joining in instead of reporting it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import Problem, atomically, count_against, current_settings, in_groups, utcnow
from plugins.publicity.exposure.categories import category_of
from plugins.publicity.exposure.models import ACCEPTED, FLOW, OPEN, Exposure, Receipt, keyed, random_id
from plugins.publicity.exposure.places import cells_around, metres_between, place_of
from plugins.publicity.exposure.reporting import Sender, day_of, hash_of_code, receipt_code

MOST = 10


def similar(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return open exposures of the category within its radius, the nearest first.

    Of one that nobody has read yet nothing is shown but that it is there: text and pictures come after acceptance.
    """
    category = category_of(told["category"])
    _place, lon, lat = place_of(told)
    if lon is None or lat is None:
        return []
    query = {"cell": {"$in": cells_around(lon, lat)}, "category": category.code, "state": {"$in": list(OPEN)}}
    fields = {"state": 1, "place": 1, "point_name": 1, "reported_on": 1, "supports": 1, "photos": 1, "number": 1}
    near = []
    for row in Exposure._get_collection().find({**query, "hidden": {"$ne": True}}, fields).limit(500):
        metres = metres_between((lon, lat), tuple(row["place"]["coordinates"]))
        if metres <= category.radius:
            near.append((metres, row))
    near.sort(key=lambda each: each[0])
    return [_shown(category.title, metres, row) for metres, row in near[:MOST]]


def join_in(sender: Sender, exposure_id: ObjectId) -> dict[str, Any]:
    """Say "me too" and return a receipt that follows the exposure; whoever did so before gets it again.

    A person is known by the account; without one, an address joins in once a day. Raises Problem `not_found`, and
    `conflict` for one that is over.
    """
    exposure = Exposure.objects(id=exposure_id, hidden__ne=True).only("state", "number", "once").first()
    if exposure is None:
        raise Problem("not_found")
    if exposure.state not in OPEN:
        raise Problem("conflict", detail="这件事已经办结，如仍有问题请重新上报。")
    count_against(current_settings().exposure_rate, f"exposure-join:{sender.counted_as()}")
    who = str(sender.by.id) if sender.by else f"{sender.address} {day_of(utcnow()):%Y-%m-%d}"
    once = keyed("join", str(exposure_id), who)
    # The code can be made again by nobody but the platform, and only for whoever joins in again.
    code = receipt_code(keyed("join code", once.hex()))
    day = day_of(utcnow())
    receipt = Receipt(
        id=random_id(), code=hash_of_code(code), once=once, exposure=exposure_id, supporter=True,
        created_at=day, updated_at=day,
    )  # fmt: skip

    def write() -> None:
        Receipt._get_collection().insert_one(dict(receipt.to_mongo()))
        Exposure._get_collection().update_one({"_id": exposure_id}, {"$inc": {"supports": 1}})

    new = True
    try:
        atomically(write)
    except DuplicateKeyError:
        new = False
    if not new and sender.by is None:
        # Behind one address live many: none of them may be handed the code of another.
        code = ""
    return {"number": exposure.number, "code": in_groups(code), "state": FLOW.states[exposure.state], "joined": new}


def _shown(title: str, metres: float, row: Mapping[str, Any]) -> dict[str, Any]:
    shown = {
        "id": str(row["_id"]),
        "number": row["number"],
        "category_title": title,
        "point_name": row["point_name"],
        "reported_on": row["reported_on"],
        "metres": round(metres),
        "state_title": FLOW.states[row["state"]],
        "supports": row.get("supports", 0),
        "thumbnails": [],
    }
    if row["state"] in ACCEPTED:
        shown["thumbnails"] = [number for number, photo in enumerate(row["photos"]) if photo.get("masked")]
    return shown
