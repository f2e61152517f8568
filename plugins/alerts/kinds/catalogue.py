"""The catalogue of a district as the intake reads it: from memory, no older than a few seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bson import ObjectId
from pymongo.errors import BulkWriteError

from backend.plugin_api import Principal, after_commit, areas_around, district_of, home_of, utcnow
from plugins.alerts.kinds.defaults import KINDS, VENDOR_CODES
from plugins.alerts.kinds.models import AlertKind, QuietWindow, VendorCode

#: How long another process may go on with what was so before a change.
STALE_SECONDS = 5.0


@dataclass(frozen=True)
class Catalogue:
    """What is known of a district: kinds in use by code, vendors' codes, quiet windows that have not ended."""

    kinds: Mapping[str, Mapping[str, Any]]
    codes: Mapping[tuple[str, str], str]
    quiet: Sequence[Mapping[str, Any]]

    def kind_of(self, vendor: str, code: str) -> Mapping[str, Any] | None:
        """Return the kind that a vendor's code means; a code of the catalogue itself needs no vendor."""
        return self.kinds.get(self.codes.get((vendor, code), code))

    def is_quiet(self, *, area: str, point: str, device: str, kind: str, at: datetime) -> ObjectId | None:
        """Return the quiet window that covers something seen, or None."""
        for window in self.quiet:
            named = ((window.get("point"), point), (window.get("device"), device), (window.get("kind"), kind))
            inside = f"{area}/".startswith(f"{window['area']}/")
            meant = inside and all(not wanted or wanted == given for wanted, given in named)
            if meant and window["since"] <= at < window["until"]:
                return ObjectId(window["_id"])
        return None


_known: dict[str, tuple[float, Catalogue]] = {}


def catalogue(district: str) -> Catalogue:
    """Return the catalogue of a district; one that has none gets the default one first."""
    if not district:
        return Catalogue({}, {}, ())
    read_at, found = _known.get(district, (0.0, None))
    if found is None or time.monotonic() - read_at > STALE_SECONDS:
        found = read(district)
        _known[district] = (time.monotonic(), found)
    return found


def district_for(by: Principal) -> str:
    """Return the district whose catalogue a person works with; whoever works everywhere has the first one."""
    home = home_of(by)
    if home:
        return district_of(home)
    row = AlertKind._get_collection().find_one({}, {"area": 1}, sort=[("area", 1)])
    return row["area"] if row else min(areas_around("", 1), default="")


def forget() -> None:
    """Read anew after the current transaction: something was changed here."""
    _known.clear()
    after_commit(_known.clear)


def read(district: str) -> Catalogue:
    """Return the catalogue as it is stored now."""
    kinds = AlertKind._get_collection()
    rows = list(kinds.find({"area": district}))
    if not rows:
        install(district)
        rows = list(kinds.find({"area": district}))
    codes = VendorCode._get_collection().find({"area": district})
    inside = {"area": {"$gte": district, "$lt": f"{district}0"}, "until": {"$gt": utcnow()}}
    return Catalogue(
        kinds={row["code"]: row for row in rows if row["active"]},
        codes={(row["vendor"], row["code"]): row["kind"] for row in codes},
        quiet=list(QuietWindow._get_collection().find(inside)),
    )


def install(district: str) -> None:
    """Give a district the default catalogue; what it has already stays as it is, and of several at once one writes."""
    now = utcnow()
    own = {"version": 1, "created_at": now, "updated_at": now, "area": district}
    kinds = [{"_id": id_of(district, kind["code"]), **kind, "active": True, "area_code": district} for kind in KINDS]
    codes = [
        {"_id": id_of(district, vendor, code), "vendor": vendor, "code": code, "kind": kind}
        for vendor, code, kind in VENDOR_CODES
    ]
    for model, rows in ((VendorCode, codes), (AlertKind, kinds)):
        try:
            model._get_collection().insert_many([{**row, **own} for row in rows], ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise


DUPLICATE_KEY = 11000


def id_of(*names: str) -> ObjectId:
    """Return the id of a default, the same wherever it is written."""
    return ObjectId(sha256("\0".join(names).encode()).digest()[:12])
