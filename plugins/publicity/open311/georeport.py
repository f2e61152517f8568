"""Exposures in the words of GeoReport v2 (https://wiki.open311.org/GeoReport_v2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.plugin_api import area_paths, utcnow
from plugins.publicity.exposure.categories import Category, categories
from plugins.publicity.exposure.models import ACCEPTED, FLOW, LONGEST_TEXT, SHORTEST_TEXT, Exposure
from plugins.publicity.open311.keys import ApiKey

OPEN_STATES = ("received", "converting", "handling", "reopening")
#: GET requests looks back so far if not told, and never over a longer span.
SPAN = timedelta(days=90)
#: Extension: `page` and `page_size`; together they reach as far as the list that the specification allows.
PAGE_SIZE, MOST = 50, 1000
#: What programs say of the person behind a request; it is sealed like that of any reporter.
PERSONAL = ("first_name", "last_name", "phone", "email", "device_id", "account_id")


class Refused(Exception):
    """A request that cannot be answered; `status` is that of the specification."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.description = description


def jurisdiction_filter(jurisdiction: str) -> dict[str, Any]:
    """Return the filter of a district by its code; none given is all of them. Raises Refused for an unknown one."""
    if not jurisdiction:
        return {}
    path = area_paths([jurisdiction]).get(jurisdiction, "")
    if path != jurisdiction:
        raise Refused(404, "jurisdiction_id was not found.")
    return {"area": {"$gte": path, "$lt": f"{path}0"}}


def services() -> list[dict[str, Any]]:
    """Return what may be reported."""
    return [
        {
            "service_code": each.code,
            "service_name": each.title,
            "description": each.description,
            "metadata": True,
            "type": "realtime",
            "keywords": each.title,
            "group": "垃圾分类",
        }
        for each in categories().values()
        if each.active
    ]


def definition(code: str) -> dict[str, Any]:
    """Return the attributes of a service; raises Refused for an unknown one."""
    service_of(code)
    point = {
        "variable": True,
        "code": "point",
        "datatype": "string",
        "required": False,
        "datatype_description": "如 T0001",
        "order": 1,
        "description": "投放点或集置点的编号；不填则取最近的点位",
    }
    return {"service_code": code, "attributes": [point]}


def service_of(code: str) -> Category:
    """Return a category; raises Refused for an unknown one."""
    if not code:
        raise Refused(400, "service_code was not provided.")
    found = categories().get(code)
    if found is None or not found.active:
        raise Refused(404, "service_code was not found.")
    return found


def told_of(form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a POST reports, and who is behind it; raises Refused."""
    category = service_of(form.get("service_code", "").strip())
    text = form.get("description", "").replace("\r\n", "\n").replace("\0", "").strip()
    if address := form.get("address_string", "").strip():
        text = f"{text}\n地址：{address}".strip()
    if not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
        raise Refused(400, f"description must have {SHORTEST_TEXT} to {LONGEST_TEXT} characters.")
    point = (form.get("attribute[point]") or form.get("address_id") or "").strip()
    told: dict[str, Any] = {"category": category.code, "text": text, "point": point, "anonymous": True}
    if form.get("lat") or form.get("long"):
        told |= {"latitude": _degrees(form, "lat", 90), "longitude": _degrees(form, "long", 180)}
    elif not point:
        raise Refused(400, "lat and long, or address_id, were not provided.")
    media = form.get("media_url", "").strip()
    if media and (not media.startswith(("https://", "http://")) or len(media) > 500):
        raise Refused(400, "media_url is not an address.")
    contact = {name: form.get(name, "").strip()[:200] for name in PERSONAL}
    person = {
        "name": f"{contact['last_name']}{contact['first_name']}",
        "phone": contact["phone"],
        "email": contact["email"],
        "id": contact["account_id"],
        "device": contact["device_id"],
    }
    return {**told, "media_url": media}, person


def search(asked: Mapping[str, str], key: ApiKey | None, host: str) -> list[dict[str, Any]]:
    """Return the requests that a program may see, newest first, pictures with addresses on `host`; raises Refused."""
    parts: list[dict[str, Any]] = [visible_to(key), jurisdiction_filter(asked.get("jurisdiction_id", ""))]
    if ids := _listed(asked, "service_request_id"):
        parts.append({"number": {"$in": ids[:100]}})
    else:
        parts.append({"reported_at": _span(asked)})
        if codes := _listed(asked, "service_code"):
            parts.append({"category": {"$in": codes}})
        parts.append(_status_filter(_listed(asked, "status")))
    page, size = _number(asked, "page", 1, MOST), _number(asked, "page_size", PAGE_SIZE, 200)
    skipped = (page - 1) * size
    if skipped >= MOST:
        return []
    query = {"$and": [each for each in parts if each]}
    rows = Exposure._get_collection().find(query).sort([("reported_at", -1), ("_id", -1)])
    known = categories()
    return [shown(row, known, key, host) for row in rows.skip(skipped).limit(min(size, MOST - skipped))]


def one(number: str, key: ApiKey | None, host: str) -> dict[str, Any]:
    """Return a request by its id; raises Refused."""
    row = Exposure._get_collection().find_one({"$and": [visible_to(key), {"number": number}]})
    if row is None:
        raise Refused(404, "service_request_id was not found.")
    return shown(row, categories(), key, host)


def visible_to(key: ApiKey | None) -> dict[str, Any]:
    """Return the filter of what a program may see: what is accepted or published, and all that its vendor sent."""
    public = {
        "hidden": {"$ne": True},
        "$or": [{"state": {"$in": list(ACCEPTED)}}, {"published_at": {"$gt": datetime(2000, 1, 1, tzinfo=UTC)}}],
    }
    return {"$or": [public, {"vendor": key.organisation}]} if key else public


def shown(row: Mapping[str, Any], known: Mapping[str, Category], key: ApiKey | None, host: str) -> dict[str, Any]:
    """Return one request. Words and pictures are those of the public list; others learn the day, not the minute."""
    own = key is not None and row.get("vendor") == key.organisation
    published = row.get("published_at") is not None and not row.get("hidden")
    longitude, latitude = (row.get("place") or {}).get("coordinates", (None, None))
    pictures = [n for n in row.get("published_photos", ()) if published and row["photos"][n].get("masked")]
    updated = row["updated_at"] if own else row.get("handled_at") or row["reported_on"]
    return {
        "service_request_id": row["number"],
        "status": "open" if row["state"] in OPEN_STATES else "closed",
        "status_notes": row.get("result") or row.get("reason") or FLOW.states[row["state"]],
        "service_name": known[row["category"]].title,
        "service_code": row["category"],
        "description": row["published_text"] if published else None,
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": written(row["reported_at"] if own else row["reported_on"]),
        "updated_datetime": written(updated),
        "expected_datetime": None,
        "address": row["point_name"],
        "address_id": row["point"],
        "zipcode": None,
        "lat": latitude,
        "long": longitude,
        "media_url": f"{host}api/v1/public-exposures/{row['_id']}/photos/{pictures[0]}" if pictures else None,
    }


def written(moment: datetime) -> str:
    """Return a time as the specification wants it (a subset of ISO 8601, with the zone)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(asked: Mapping[str, str]) -> dict[str, datetime]:
    end = _moment(asked, "end_date") or utcnow()
    start = _moment(asked, "start_date") or end - SPAN
    if not timedelta(0) <= end - start <= SPAN:
        raise Refused(400, "start_date and end_date may span at most 90 days.")
    return {"$gte": start, "$lte": end}


def _status_filter(wanted: list[str]) -> dict[str, Any]:
    if set(wanted) - {"open", "closed"}:
        raise Refused(400, "status must be open or closed.")
    if not wanted or set(wanted) == {"open", "closed"}:
        return {}
    return {"state": {"$in" if wanted[0] == "open" else "$nin": list(OPEN_STATES)}}


def _moment(asked: Mapping[str, str], name: str) -> datetime | None:
    text = asked.get(name, "").strip().replace(" ", "+")
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(400, f"{name} must be like 2026-01-31T00:00:00Z.") from error


def _listed(asked: Mapping[str, str], name: str) -> list[str]:
    return [each.strip() for each in asked.get(name, "").split(",") if each.strip()]


def _number(asked: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = asked.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise Refused(400, f"{name} must be 1 to {most}.")
    return int(text)


def _degrees(form: Mapping[str, str], name: str, most: int) -> float:
    try:
        value = float(form.get(name, ""))
    except ValueError:
        value = float("nan")
    if not abs(value) <= most:  # also refuses what is no number
        raise Refused(400, f"{name} must be degrees in WGS-84.")
    return value


def is_request(number: str) -> bool:
    """Say whether there is a request with this id."""
    return Exposure._get_collection().find_one({"number": number}, {"_id": 1}) is not None
