"""Photos of patrols: uploaded one by one before the check-in that names them."""

from __future__ import annotations

from collections.abc import Collection

from bson import ObjectId

from backend.plugin_api import Principal, district_of, put_blob, read_photo, utcnow
from plugins.alerts.patrol.models import USER, PatrolCheckIn, PatrolPhoto, PatrolReport, id_of


def keep_photo(by: Principal, content: bytes, area: str) -> dict[str, str]:
    """Keep a photo for a round in `area` and return its hash; sent again it is the same. Raises Problem."""
    facts = read_photo(content, "photo")
    space = district_of(area)
    blob = put_blob(content, media_type=facts.media_type, space=space, user=USER)
    now = utcnow()
    PatrolPhoto._get_collection().update_one(
        {"_id": id_of("patrol photo", str(by.id), space, blob.sha256)},
        {
            "$set": {"account": by.id, "space": space, "sha256": blob.sha256, "updated_at": now},
            "$setOnInsert": {"created_at": now, "version": 1},
        },
        upsert=True,
    )
    return {"sha256": blob.sha256, "media_type": facts.media_type}


def missing(account: ObjectId, space: str, hashes: Collection[str]) -> set[str]:
    """Return those of the hashes that the person has not uploaded to the district."""
    if not hashes:
        return set()
    wanted = {id_of("patrol photo", str(account), space, each): each for each in hashes}
    there = PatrolPhoto._get_collection().find({"_id": {"$in": list(wanted)}}, {"_id": 1})
    return set(hashes) - {wanted[row["_id"]] for row in there}


def is_named(round_id: ObjectId, sha256: str) -> bool:
    """Say whether a check-in or a report of a round names a photo."""
    query = {"round": round_id, "photos": sha256}
    return any(model._get_collection().find_one(query, {"_id": 1}) for model in (PatrolCheckIn, PatrolReport))
