"""Read what a vendor sends: strict in nothing, so that nothing is lost, and sure of what it gives on.

Pure functions. The traps are those of real platforms: dates of 1900, a blank after the T, times without a zone,
parameters as JSON text, misspelt keys, repeated events, late pictures (status 5).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from backend.plugin_api import LOCAL_ZONE

MOST_EVENTS = 50
MOST_PICTURES = 9
#: A device's clock is believed this far back and ahead.
BACK, AHEAD = timedelta(days=30), timedelta(minutes=5)
#: Below it a number of seconds cannot be a time of ours; above it the number is in milliseconds.
EARLIEST, MILLISECONDS = 946_684_800, 100_000_000_000

#: How vendors spell what we ask for; keys are compared without case, `_` and `-`.
NAMES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("eventid", "id", "uuid", "alarmid", "eventuuid"),
    "code": ("code", "eventtype", "eventcode", "alarmtype", "kind", "type"),
    "at": ("at", "happenedat", "happentime", "happendtime", "time", "devicetime", "alarmtime", "eventtime"),
    "status": ("status",),
    "point": ("point", "pointcode"),
    "device": ("device", "deviceindexcode", "cameraindexcode", "srcindex", "camera"),
    "confidence": ("confidence", "score"),
    "lon": ("lon", "lng", "longitude"),
    "lat": ("lat", "latitude"),
    "note": ("note", "description", "remark", "desc"),
    "pictures": ("pictures", "images", "photos", "picture", "image"),
    "address": ("imageurl", "pictureurl", "picurl", "snappath"),
}
#: What a plain key means, and which of several keys for the same thing goes before.
MEANINGS = {spelt: (name, rank) for name, every in NAMES.items() for rank, spelt in enumerate(every)}
INSIDE = ("params", "data", "body", "event", "payload")
LISTS = ("events", "eventlist", "alarms")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One event as it was understood; what could not be is empty."""

    event_id: str
    code: str
    at: datetime | None
    late_pictures: bool
    point: str
    device: str
    confidence: float | None
    place: tuple[float, float] | None
    note: str
    pictures: tuple[bytes, ...]
    addresses: tuple[str, ...]


def read_events(body: Any) -> tuple[str, list[Seen]]:
    """Return the vendor's name for itself and its events; raises ValueError when there is nothing to be found."""
    vendor, events = "", None
    for level in levels(body):
        keys = {plain(key): value for key, value in level.items()}
        vendor = vendor or text(keys.get("vendor"), 32)
        for name in LISTS:
            if isinstance(listed := opened(keys.get(name)), list):
                events = listed
        if events is None and any(alias in keys for alias in (*NAMES["event_id"], *NAMES["code"])):
            events = [level]
        if events is not None:
            break
    if isinstance(body, list):
        events = body
    if not events:
        raise ValueError("no events")
    return vendor, [read_event(event) for event in events]


def levels(body: Any) -> Iterable[Mapping[str, Any]]:
    """Yield the body and what it wraps, from outside inwards; JSON text is opened."""
    ahead = [opened(body)]
    for _ in range(6):
        found = [each for each in ahead if isinstance(each, Mapping)]
        yield from found
        ahead = [opened(value) for each in found for key, value in each.items() if plain(key) in INSIDE]


def read_event(event: Any) -> Seen:
    """Return one event; what is no object is known by its hash alone."""
    found: dict[str, Any] = dict.fromkeys(NAMES)
    ranks: dict[str, int] = {}
    for level in levels(event):
        for key, value in level.items():
            name, rank = MEANINGS.get(plain(key), ("", 0))
            if name and rank < ranks.get(name, len(MEANINGS)) and value not in (None, "", []):
                found[name], ranks[name] = value, rank
    pictures, addresses = read_pictures(found["pictures"])
    if isinstance(found["address"], str):
        addresses = (*addresses, found["address"][:500])
    longitude, latitude = number(found["lon"], 180), number(found["lat"], 90)
    return Seen(
        event_id=name_of(found["event_id"], event),
        code=text(found["code"], 128),
        at=read_time(found["at"]),
        late_pictures=text(found["status"], 10) == "5",
        point=text(found["point"], 32),
        device=text(found["device"], 64),
        confidence=read_confidence(found["confidence"]),
        place=None if longitude is None or latitude is None or not (longitude or latitude) else (longitude, latitude),
        note=text(found["note"], 500),
        pictures=pictures,
        addresses=addresses[:MOST_PICTURES],
    )


def name_of(given: Any, event: Any) -> str:
    """Return the event's number; one without, or with too long a one, is known by the hash of what it says."""
    named = str(given).strip() if isinstance(given, str | int) and not isinstance(given, bool) else ""
    if named and len(named) <= 128:
        return named
    told = named or json.dumps(event, ensure_ascii=False, sort_keys=True)
    return f"sha256:{hashlib.sha256(told.encode(errors='surrogatepass')).hexdigest()}"


def read_time(value: Any) -> datetime | None:
    """Return a time in UTC, cut to milliseconds, or None for what cannot be one, such as a date of 1900.

    A time without a zone is that of Shanghai.
    """
    if isinstance(value, str):
        value = value.strip()
        if re.fullmatch(r"\d{9,14}(\.\d+)?", value):
            value = float(value)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        if isinstance(value, str):
            spelt = re.sub(r"[Tt ]\s*", "T", value.replace("/", "-"), count=1)
            moment = datetime.fromisoformat(re.sub(r"\s+", "", spelt))
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)).astimezone(UTC)
        else:
            moment = datetime.fromtimestamp(value / 1000 if value >= MILLISECONDS else value, UTC)
        if moment.timestamp() < EARLIEST:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def believed(at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    """Return when something was seen, and whether the device's clock had to be doubted: then it is the platform's."""
    if at is None or not received_at - BACK <= at <= received_at + AHEAD:
        return received_at, True
    return at, False


def read_confidence(value: Any) -> float | None:
    """Return a share from 0 to 1; percents are divided."""
    share = number(value, 100)
    if share is None or share < 0:
        return None
    return share / 100 if share > 1 else share


def read_pictures(value: Any) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """Return pictures sent as base64, and the addresses of those that are not here."""
    pictures, addresses = [], []
    for each in opened(value) if isinstance(opened(value), list) else [value]:
        inner = each
        if isinstance(each, Mapping):
            keys = {plain(key): inside for key, inside in each.items()}
            inner = next(
                (keys[name] for name in ("content", "base64", "data", "url", "imageurl") if keys.get(name)), None
            )
        if not isinstance(inner, str) or not inner:
            continue
        if re.match(r"[a-z]{3,6}://", inner[:10], re.IGNORECASE):
            addresses.append(inner[:500])
        elif content := decoded(inner):
            pictures.append(content)
    return tuple(pictures[:MOST_PICTURES]), tuple(addresses[:MOST_PICTURES])


def decoded(value: str) -> bytes:
    """Return the bytes of base64, with or without `data:` before it; nothing for other text."""
    try:
        return base64.b64decode(value.partition(",")[2] if value.startswith("data:") else value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def opened(value: Any) -> Any:
    """Return what JSON text holds, if it is an object or a list; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def plain(key: Any) -> str:
    """Return a key without case, `_` and `-`."""
    return key.replace("_", "").replace("-", "").lower() if isinstance(key, str) else str(key)


def first(told: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Return the value of the first name under which there is something."""
    return next((told[name] for name in names if told.get(name) not in (None, "", [])), None)


def text(value: Any, longest: int) -> str:
    """Return a text or whole number as trimmed text that the store can hold; nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).replace("\0", "").encode(errors="ignore").decode().strip()[:longest]


def number(value: Any, most: float) -> float | None:
    """Return a number no further from zero than `most`; numbers written as text count."""
    try:
        found = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= most else None
