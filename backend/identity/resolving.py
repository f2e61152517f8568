"""Who stands behind a token: the person with everything that he or she holds at this moment."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend import settings
from backend.identity.errors import NotFound, NotLoggedIn
from backend.identity.models import ModuleSwitch, Role, Session, User
from backend.identity.principal import HeldGrant, Principal
from backend.storage import utcnow


def find_principal(token: str) -> Principal:
    """Return who holds an access token; raises NotLoggedIn.

    One round trip: session, user, his roles and the module switches together, so that every change of any of them
    counts from the next request on and nothing has to be cached or told to other processes.
    """
    now = utcnow()
    rows = list(Session._get_collection().aggregate([{"$match": {"access": digest(token)}}, *_WITH_PERSON]))
    if not rows or rows[0]["access_expires_at"] <= now or rows[0]["expires_at"] <= now:
        raise NotLoggedIn
    [row] = rows
    if not row["person"]["active"]:
        raise NotLoggedIn
    _touch(row, now)
    return _principal(row, session=row["_id"])


def principal_of(user: ObjectId) -> Principal:
    """Return a person without a session, for what is done in his name outside of requests; raises NotFound."""
    find = [{"$match": {"_id": user, "active": True}}, {"$project": {"person": "$$ROOT"}}]
    for row in User._get_collection().aggregate([*find, *_WITH_ROLES]):
        return _principal(row, session=None)
    raise NotFound


def digest(token: str) -> bytes:
    """Return what is stored of a token: it is random enough that a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _principal(row: dict[str, Any], session: ObjectId | None) -> Principal:
    user = row["person"]
    permissions = {role["name"]: frozenset(role["permissions"]) for role in row["roles"]}
    switches: dict[str, dict[str, bool]] = {}
    for switch in row["switches"]:
        switches.setdefault(switch["module"], {})[switch["area"]] = switch["enabled"]
    return Principal(
        id=user["_id"],
        account=user["account"],
        name=user["name"],
        user_type=user["user_type"],
        area=user["area"],
        organisation=user.get("organisation"),
        grants=tuple(
            HeldGrant(permissions[grant["role"]], grant["area"], grant.get("organisation"), grant["role"])
            for grant in user.get("grants", ())
            if grant["role"] in permissions
        ),
        session=session,
        must_change_password=user["must_change_password"],
        switches=switches,
    )


def _touch(session: dict[str, Any], now: datetime) -> None:
    """Note the use, at most once a minute; a page's session lives on by it."""
    life = timedelta(minutes=settings.current().session_minutes)
    if now - session["last_used_at"] < min(timedelta(minutes=1), life / 10):
        return
    changes = {"last_used_at": now}
    if "refresh" not in session:
        changes |= {"access_expires_at": now + life, "expires_at": now + life}
    Session._get_collection().update_one({"_id": session["_id"]}, {"$set": changes})


_USER_FIELDS = (
    "_id", "account", "name", "user_type", "area", "organisation", "grants", "active", "must_change_password",
)  # fmt: skip
_SESSION_FIELDS = ("refresh", "last_used_at", "access_expires_at", "expires_at")

_WITH_ROLES: list[dict[str, Any]] = [
    # Spelled out, because the embedded store reads no path that leads through an array.
    {"$set": {"held": {"$map": {"input": {"$ifNull": ["$person.grants", []]}, "in": "$$this.role"}}}},
    {
        "$lookup": {
            "from": Role._get_collection_name(),
            "localField": "held",
            "foreignField": "name",
            "as": "roles",
        }
    },
    {"$lookup": {"from": ModuleSwitch._get_collection_name(), "pipeline": [], "as": "switches"}},
    {
        "$project": {
            **dict.fromkeys(_SESSION_FIELDS, 1),
            **{f"person.{name}": 1 for name in _USER_FIELDS},
            **{f"roles.{name}": 1 for name in ("name", "permissions")},
            **{f"switches.{name}": 1 for name in ("module", "area", "enabled")},
        }
    },
]
_WITH_PERSON: list[dict[str, Any]] = [
    {"$lookup": {"from": User._get_collection_name(), "localField": "user", "foreignField": "_id", "as": "person"}},
    {"$unwind": "$person"},
    *_WITH_ROLES,
]
