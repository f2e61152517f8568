"""Links that show one page of the cockpit to people without an account: signed, for a time, and to be revoked.

A guest sees what the link's maker may see at that moment inside the link's area, never more; if the maker loses it,
so does the guest.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from backend.identity import HeldGrant, Principal, principal_of, require, scope_filter
from backend.identity.errors import NotFound
from backend.protection import Actor, acting, audit
from backend.protection.keys import BLIND, current_key
from backend.screens.models import GuestLink
from backend.storage import atomically, utcnow

PERMISSION = "platform:guests"
MOST_DAYS = 90
MOST_LISTED = 50
#: All that a guest may do is look, at what nobody has to unmask.
LOOKING = ":view"


@dataclass(frozen=True, kw_only=True)
class Guest(Principal):
    """Somebody who looks by a link: at one page, until a time."""

    theme: str
    until: datetime


def make_link(maker: Principal, *, theme: str, area: str, days: int, title: str) -> GuestLink:
    """Make a link; raises Forbidden outside of the maker's area, ValueError for a time that is not offered."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"A link lasts from 1 to {MOST_DAYS} days.")
    require(maker, PERMISSION, area)
    link = GuestLink(
        theme=theme,
        area=area,
        title=title,
        made_by=maker.id,
        made_by_name=maker.name,
        expires_at=utcnow() + timedelta(days=days),
    )

    def work() -> None:
        link.save(force_insert=True)
        detail = {"theme": theme, "days": days, "title": title}
        audit.record("cockpit.guest.make", subject="guest_link", subject_id=str(link.id), area=area, detail=detail)

    atomically(work)
    return link


def links_of(viewer: Principal) -> list[GuestLink]:
    """Return the links into areas that the viewer may make links for, newest first."""
    found = GuestLink._get_collection().find(scope_filter(viewer, PERMISSION)).sort("_id", -1).limit(MOST_LISTED)
    return [GuestLink._from_son(row) for row in found]


def revoke_link(viewer: Principal, link_id: str) -> GuestLink:
    """End a link at once; raises NotFound, and Forbidden."""
    link = found_link(link_id)
    if link is None:
        raise NotFound
    require(viewer, PERMISSION, link.area)

    def work() -> None:
        now = utcnow()
        changes = {"$set": {"revoked_at": now, "updated_at": now}, "$inc": {"version": 1}}
        if GuestLink._get_collection().update_one({"_id": link.id, "revoked_at": None}, changes).matched_count:
            audit.record("cockpit.guest.revoke", subject="guest_link", subject_id=str(link.id), area=link.area)

    atomically(work)
    return found_link(link_id) or link


def token_of(link: GuestLink) -> str:
    """Return what stands in the link's address: its id and a signature that nobody else can make."""
    message = f"guest link {link.id} {link.theme} {link.area} {int(link.expires_at.timestamp())}"
    signature = hmac.digest(current_key(BLIND).secret, message.encode(), "sha256")[:18]
    return f"{link.id}{urlsafe_b64encode(signature).decode()}"


def link_of(token: str) -> GuestLink | None:
    """Return the link that a token opens now: None for a forged, expired or revoked one."""
    link = found_link(token[:24])
    if link is None or link.revoked_at or link.expires_at <= utcnow():
        return None
    return link if hmac.compare_digest(token_of(link).encode(), token.encode("utf-8", "surrogatepass")) else None


def guest_of(token: str) -> Guest | None:
    """Return who looks by a token, None when it opens nothing (any more)."""
    link = link_of(token)
    if link is None:
        return None
    try:
        maker = principal_of(link.made_by)
    except NotFound:
        return None
    grants = tuple(each for grant in maker.grants if (each := narrowed(grant, link.area)))
    return Guest(
        id=link.id,
        account="",
        name="访客",
        user_type="guest",
        area=link.area,
        organisation=None,
        grants=grants,
        switches=maker.switches,
        theme=link.theme,
        until=link.expires_at,
    )


def narrowed(grant: HeldGrant, area: str) -> HeldGrant | None:
    """Return what of a grant holds inside `area` and is a mere look; None when that is nothing."""
    if grant.organisation is not None:
        return None
    inside = [each for each in (grant.area, area) if f"{each}/".startswith(f"{area}/") and within(each, grant.area)]
    looking = frozenset(each for each in grant.permissions if each.endswith(LOOKING))
    return replace(grant, permissions=looking, area=max(inside, key=len)) if inside and looking else None


def within(area: str, whole: str) -> bool:
    """Say whether an area lies in another one or is it; the empty one is everything."""
    return not whole or area == whole or area.startswith(f"{whole}/")


def note_view(guest: Guest, address: str) -> None:
    """Count a visit and write it into the audit trail."""

    def work() -> None:
        visited = {"$inc": {"views": 1}, "$set": {"viewed_at": utcnow()}}
        GuestLink._get_collection().update_one({"_id": guest.id}, visited)
        audit.record("cockpit.guest.view", subject="guest_link", subject_id=str(guest.id), area=guest.area)

    with acting(Actor(id=str(guest.id), name=guest.name, kind="guest", address=address)):
        atomically(work)


def found_link(link_id: str) -> GuestLink | None:
    """Return a link by its id, whatever its state."""
    try:
        row: Mapping[str, Any] | None = GuestLink._get_collection().find_one({"_id": ObjectId(link_id)})
    except (InvalidId, TypeError):
        return None
    return GuestLink._from_son(row) if row else None
