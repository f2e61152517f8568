"""Show the ledger: charges and entries inside what a person may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from bson import ObjectId
from pymongo.collection import Collection

from backend.plugin_api import Principal, Problem, area_names, etag_of, permitted, scope_filter, utcnow
from plugins.ranking.ledger.entering import may_annul
from plugins.ranking.ledger.models import KINDS, STATES, Charge, Entry
from plugins.ranking.points import APPEAL, VIEW
from plugins.ranking.rules.triggers import SOURCES

BATCH = 1000
API = "/api/v1/assessment-charges"
APPEAL_STATES = {
    "filed": "申诉待裁决",
    "upheld": "申诉成立",
    "refused": "申诉不成立",
    "withdrawn": "申诉已撤回",
    "lapsed": "申诉已终止",
}


def visible(by: Principal, within: str = "", permission: str = VIEW) -> dict[str, Any]:
    """Return the filter of what a person may see: the own area, or what lies with the own company."""
    return scope_filter(by, permission, within=within, organisation_field="organisation")


def conditions(by: Principal, asked: Mapping[str, Any], permission: str = VIEW) -> dict[str, Any]:
    """Return the Mongo filter for checked search conditions inside what the person may see."""
    names = ("compound", "rule", "state", "source", "appeal", "kind", "charge")
    query: list[dict[str, Any]] = [{name: asked[name]} for name in names if name in asked]
    for name, operator in (("since", "$gte"), ("until", "$lt")):
        if name in asked:
            query.append({"occurred_at": {operator: asked[name]}})
    if "number" in asked:
        # What begins with the text, as a range on the index of numbers; signs of a number sort below the tilde.
        query.append({"number": {"$gte": asked["number"], "$lt": f"{asked['number']}~"}})
    if "deducted" in asked:
        query.append({"net": {"$lt": 0}} if asked["deducted"] else {"net": {"$gte": 0}})
    if "appealable" in asked:
        can = {"state": "standing", "net": {"$lt": 0}, "appeal": "", "appeal_by": {"$gt": utcnow()}}
        query.append(can if asked["appealable"] else {"$nor": [can]})
    query.append(visible(by, asked.get("within", ""), permission))
    parts = [part for part in query if part]
    return {"$and": parts} if parts else {}


def charge_of(by: Principal, charge_id: ObjectId, permission: str = VIEW) -> Charge:
    """Return a charge that the person may see; raises Problem `not_found` for any other."""
    charge = Charge.objects(__raw__={"$and": [{"_id": charge_id}, visible(by, permission=permission)]}).first()
    if charge is None:
        raise Problem("not_found")
    return charge


def names_for(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of the rows' compounds, in one round trip."""
    return area_names({row["area"] for row in rows})


def address_for(by: Principal, row: Mapping[str, Any]) -> str | None:
    """Return where the evidence is to be seen, for whoever may go there."""
    needed = SOURCES[row["source"]].permission
    return row.get("link") if not needed or permitted(by, needed) else None


def charge_line(by: Principal, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a charge as it stands in a list."""
    plain = (
        "area", "compound", "rule", "edition", "title", "points", "net", "occurred_at", "booked_at", "source", "number",
        "state", "appeal", "appeal_by",
    )  # fmt: skip
    return {
        **{name: row[name] for name in plain},
        "id": str(row["_id"]),
        "etag": etag_of(row).strip('"'),
        "compound_name": names.get(row["area"], row["compound"]),
        "source_title": SOURCES[row["source"]].title,
        "state_title": STATES[row["state"]],
        "appeal_title": APPEAL_STATES.get(row["appeal"], ""),
        "link": address_for(by, row),
        "note": row.get("note"),
        "why": row.get("why"),
        "capped": row["state"] == "standing" and row["net"] != row["points"],
    }


def charge_view(by: Principal, charge: Charge) -> dict[str, Any]:
    """Return one charge with its entries, and what the person may do with it."""
    row = charge.to_mongo().to_dict()
    entries = Entry._get_collection().find({"charge": charge.id}).sort("seq", 1)
    names = area_names([charge.area])
    return {
        **charge_line(by, row, names),
        "given_name": charge.given_name,
        "photos": [f"{API}/{charge.id}/photos/{number}" for number in range(len(charge.photos))],
        "entries": [entry_line(by, each, names) for each in entries],
        "may_appeal": may_appeal(by, charge),
        "may_annul": charge.appeal != "filed" and may_annul(by, charge),
    }


def may_appeal(by: Principal, charge: Charge) -> bool:
    """Tell whether a person may file an appeal against a charge now."""
    row = Charge._get_collection().find_one({"$and": [{"_id": charge.id}, visible(by, permission=APPEAL)]}, {"_id": 1})
    return row is not None and appealable(charge)


def appealable(charge: Charge) -> bool:
    """Tell whether there is a deduction, nobody has appealed against it, and the limit has not passed."""
    return charge.state == "standing" and charge.net < 0 and not charge.appeal and utcnow() <= charge.appeal_by


def entry_line(by: Principal, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a line of the ledger."""
    plain = (
        "area", "compound", "seq", "kind", "rule", "edition", "title", "points", "occurred_at", "source", "source_id",
        "number", "event",
    )  # fmt: skip
    return {
        **{name: row[name] for name in plain},
        "id": str(row["_id"]),
        "charge": str(row["charge"]),
        "entered_at": row["created_at"],
        "compound_name": names.get(row["area"], row["compound"]),
        "kind_title": KINDS[row["kind"]],
        "source_title": SOURCES[row["source"]].title,
        "link": address_for(by, row),
        "note": row.get("note"),
    }


def exported(by: Principal, collection: Collection[dict[str, Any]], query: dict[str, Any], line: Any) -> Iterator[Any]:
    """Yield rows as a table shows them, read in batches while the file is written."""
    rows = collection.find(query).sort("_id", 1).batch_size(BATCH)
    while some := list(islice(rows, BATCH)):
        names = names_for(some)
        yield from (line(by, row, names) for row in some)
