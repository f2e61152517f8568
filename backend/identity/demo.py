"""Accounts for trying the platform out: one of each type, in demo mode only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bson import ObjectId

from backend import settings
from backend.identity import changes
from backend.identity.models import Organisation, User
from backend.identity.people import make_user
from backend.identity.vocabulary import ORGANISATION_KINDS, USER_TYPES

#: Known to everybody who reads this: which is why it never exists outside of demo mode.
DEMO_PASSWORD = "Demo@Qingxu2026"  # noqa: S105

#: Account, level of the area ("" for the whole platform) and kind of organisation of each type.
_PLACES = {
    "administrator": ("admin", "", ""),
    "district_staff": ("district", "district", "district_office"),
    "street_staff": ("street", "street", "street_office"),
    "community_staff": ("community", "community", "community"),
    "property_staff": ("property", "district", "property_company"),
    "supervisor": ("supervisor", "compound", ""),
    "collection_staff": ("collection", "district", "collection_company"),
    "recycling_staff": ("recycling", "district", "recycling_company"),
    "driver": ("driver", "district", "collection_company"),
    "enforcement_officer": ("enforcement", "district", "enforcement"),
    "resident": ("resident", "compound", ""),
    "volunteer": ("volunteer", "community", ""),
    "vendor": ("vendor", "district", "vendor"),
}


@dataclass(frozen=True)
class DemoAccount:
    """One account to show on the terminal."""

    account: str
    password: str
    title: str
    user: ObjectId


def create_demo_accounts(
    areas: Mapping[str, str], organisations: Mapping[str, ObjectId] | None = None
) -> list[DemoAccount]:
    """Make one account of each type, granted its role on `areas` (path by level), unless it is there already.

    `organisations` are ids by kind; a kind that is missing gets a fictional one. Raises RuntimeError outside of demo
    mode.
    """
    if settings.current().mode != "demo":
        raise RuntimeError("Demo accounts are made in demo mode only (QINGXU_MODE=demo).")
    known = dict(organisations or {})
    made = []
    for number, (user_type, (account, level, kind)) in enumerate(_PLACES.items(), 1):
        user = User.objects(account=account).only("id").first()
        if user is None:
            if kind and kind not in known:
                known[kind] = _fictional(kind, areas["district"])
            user = make_user(
                DEMO_PASSWORD,
                must_change=False,
                account=account,
                name=f"演示{USER_TYPES[user_type]}",
                user_type=user_type,
                area=areas[level] if level else "",
                organisation=known.get(kind),
                phone=f"138000000{number:02d}",
            )
        made.append(DemoAccount(account, DEMO_PASSWORD, USER_TYPES[user_type], user.id))
    return made


def _fictional(kind: str, area: str) -> ObjectId:
    organisation = Organisation(kind=kind, name=f"演示{ORGANISATION_KINDS[kind]}", area=area)
    return changes.add(organisation, "platform.organisation.add", {"name": organisation.name}).id
