"""Take in what people report, so that the report leads back to nobody but through the custodian."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend.plugin_api import (
    LOCAL_ZONE,
    Actor,
    PlaceFacts,
    Principal,
    Problem,
    acting,
    atomically,
    audit,
    code_from,
    count_against,
    current_settings,
    district_of,
    drop_upload,
    finished_upload,
    in_groups,
    mark_dirty,
    own_phone,
    permitted,
    publish,
    put_blob,
    read_photo,
    require,
    utcnow,
)
from plugins.publicity.exposure import clips
from plugins.publicity.exposure.categories import category_of
from plugins.publicity.exposure.models import (
    FLOW,
    MOST_PHOTOS,
    REPORT,
    USER,
    Clip,
    Exposure,
    Photo,
    Receipt,
    Reporter,
    keyed,
)
from plugins.publicity.exposure.places import cell_of, place_of

METRIC = "publicity.exposures"
#: Reports of all people together, so that a storm of addresses is no storm of records.
TOGETHER = "600/hour"
#: A vendor's program speaks for many people.
VENDOR_RATE = "300/day"
SOURCES = {"resident": "person", "volunteer": "volunteer"}


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sends: a signed-in person, or somebody at an address; `vendor` is the organisation whose program did it.

    `contact` is what somebody without an account tells of himself or herself, by name, phone and mail.
    """

    by: Principal | None = None
    address: str = ""
    vendor: ObjectId | None = None
    contact: Mapping[str, str] | None = None

    def counted_as(self) -> str:
        """Return a key to count this sender under; no address can be read from it."""
        who = f"vendor {self.vendor}" if self.vendor else f"account {self.by.id}" if self.by else self.address
        return keyed("sender", who).hex()


def report(
    sender: Sender, told: Mapping[str, Any], photos: Sequence[bytes], *, key: str = "", counted: bool = True
) -> dict[str, Any]:
    """Keep one report and return its receipt; sent again with the same `key` it returns the same receipt.

    `told` holds category, text, anonymous, and point or longitude and latitude; clip_upload if there is one. It is
    `counted` against the limits of a request's sender; the demo's come outside of any request. Raises
    Problem for bad content and for too many reports, Forbidden outside of the person's district.
    """
    once = keyed("once", str(sender.by.id) if sender.by else str(sender.vendor or ""), key or secrets.token_hex(16))
    if earlier := _before(once, told, photos):
        return earlier
    category = category_of(told["category"])
    place, lon, lat = place_of(told)
    if sender.by is not None:
        may_report(sender.by, place.area)
    if counted:
        rate = VENDOR_RATE if sender.vendor else current_settings().exposure_rate
        count_against(rate, f"exposure:{sender.counted_as()}")
        count_against(TOGETHER, "exposure:all")
    kept, film = _keep(sender, told, photos, district_of(place.area))
    named = sender.by is not None and not told.get("anonymous")
    exposure = _made(once, told, place, lon, lat, category.code)
    exposure.named, exposure.source, exposure.vendor = named, _source_of(sender, named=named), sender.vendor
    exposure.photos, exposure.clip = kept, film
    actor = Actor(id=_pseudonym(sender, named=named), name="举报人", kind="reporter", address="")
    FLOW.begin(exposure, actor=actor, at=exposure.reported_at)
    try:
        with acting(actor):
            _write_down(exposure, reporter_of(sender, exposure, named=named), once)
    except DuplicateKeyError:
        if earlier := _before(once, told, photos):
            return earlier
        raise
    if upload := told.get("clip_upload"):
        drop_upload(upload)
    return receipt_view(exposure.number, once)


def receipt_view(number: str, once: bytes) -> dict[str, Any]:
    """Return what the sender gets; the code is made anew from `once`, it is stored nowhere."""
    return {"number": number, "code": in_groups(receipt_code(once)), "state": FLOW.states["received"]}


def receipt_code(once: bytes) -> str:
    """Return the receipt code that belongs to a sending."""
    return code_from(keyed("code", once.hex()))


def hash_of_code(code: str) -> bytes:
    """Return a code as it is stored."""
    return keyed("receipt", code)


def reporter_of(sender: Sender, exposure: Exposure, *, named: bool) -> Reporter | None:
    """Return the sealed record of who sent it, or None where nobody said who he or she is."""
    if sender.by is not None:
        identity = {"id": str(sender.by.id), "name": sender.by.name, "phone": own_phone(sender.by) or ""}
    elif sender.contact and any(sender.contact.values()):
        identity = {name: text for name, text in sender.contact.items() if text}
    else:
        return None
    day = exposure.reported_on
    sealed = Reporter(id=_drawn(exposure.once, "reporter"), created_at=day, updated_at=day)
    sealed.exposure, sealed.identity = str(exposure.id), json.dumps(identity, ensure_ascii=False)
    if named and sender.by is not None:
        sealed.account = str(sender.by.id)
    return sealed


def own_pseudonym(account: str) -> str:
    """Return what a person is called in the trail of reports under the own name."""
    return keyed("pseudonym", account).hex()[:32]


def _made(
    once: bytes, told: Mapping[str, Any], place: PlaceFacts, lon: float | None, lat: float | None, category: str
) -> Exposure:
    now = utcnow()
    return Exposure(
        id=_drawn(once, "exposure"),
        once=once,
        number=f"BG{code_from(keyed('number', once.hex()))[:8]}",
        area=place.area,
        category=category,
        text=told["text"],
        reported_at=now,
        reported_on=day_of(now),
        created_at=now,
        point=place.code,
        point_name=place.name,
        place=None if lon is None else {"type": "Point", "coordinates": [lon, lat]},
        cell=cell_of(lon, lat),
        media_url=told.get("media_url") or None,
    )


def day_of(moment: datetime) -> datetime:
    """Return when the day of a moment began in Shanghai."""
    return moment.astimezone(LOCAL_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def _drawn(once: bytes, purpose: str) -> ObjectId:
    # Of the sending, so that a repeated one finds its records; under the key, so that nobody can try senders out.
    return ObjectId(keyed(purpose, once.hex())[:12])


def _source_of(sender: Sender, *, named: bool) -> str:
    if sender.vendor:
        return "open311"
    if sender.by is None or not named:
        return "anonymous"
    return SOURCES.get(sender.by.user_type, "staff")


def _pseudonym(sender: Sender, *, named: bool) -> str:
    return own_pseudonym(str(sender.by.id)) if named and sender.by else "anonymous"


def _keep(
    sender: Sender, told: Mapping[str, Any], photos: Sequence[bytes], space: str
) -> tuple[list[Photo], Clip | None]:
    """Look at all files, then store them; raises Problem, and then nothing is stored."""
    if len(photos) > MOST_PHOTOS:
        raise Problem("invalid", fields={"photos": [f"最多 {MOST_PHOTOS} 张照片。"]})
    if sum(map(len, photos)) > current_settings().max_upload_bytes:
        raise Problem("too_large")
    facts = [read_photo(photo, f"photos.{number}") for number, photo in enumerate(photos)]
    film = None
    if upload := told.get("clip_upload"):
        if sender.by is None:
            raise Problem("invalid", fields={"clip_upload": ["登录后才能上传视频。"]})
        with closing(finished_upload(upload, sender.by)) as file:
            clips.check_clip(file)
            ref = put_blob(file, media_type=clips.MEDIA_TYPE, space=space, user=USER)
        film = Clip(sha256=ref.sha256, sm3=ref.sm3, media_type=clips.MEDIA_TYPE, size=ref.size)
    kept = []
    for content, fact in zip(photos, facts, strict=True):
        ref = put_blob(content, media_type=fact.media_type, space=space, user=USER)
        kept.append(Photo(sha256=ref.sha256, sm3=ref.sm3, media_type=fact.media_type, size=ref.size))
    return kept, film


def _write_down(exposure: Exposure, reporter: Reporter | None, once: bytes) -> None:
    row = exposure.to_mongo()
    exposure.validate()
    day = exposure.reported_on
    receipt = Receipt(
        id=_drawn(once, "receipt"),
        code=hash_of_code(receipt_code(once)),
        once=once,
        exposure=exposure.id,
        created_at=day,
        updated_at=day,
    )

    def write() -> None:
        Exposure._get_collection().insert_one(dict(row))
        Receipt._get_collection().insert_one(dict(receipt.to_mongo()))
        if reporter is not None:
            Reporter._get_collection().insert_one(dict(reporter.to_mongo()))
        about = {"subject": "publicity.exposure", "subject_id": str(exposure.id), "area": exposure.area}
        audit.record("publicity.exposure.report", **about, detail={"photos": len(exposure.photos)})
        publish("exposure.reported", {"exposure": str(exposure.id), "category": exposure.category}, area=exposure.area)
        mark_dirty(METRIC, exposure.area, exposure.reported_at)

    atomically(write)


def may_report(by: Principal, area: str) -> None:
    """Raise Forbidden unless the person may report what lies in `area`: one walks through the whole of one's district.

    Staff of companies hold grants for their own organisation, but whatever they see may be reported.
    """
    if district_of(by.area) != district_of(area) or not permitted(by, REPORT):
        require(by, REPORT, area, by.organisation)


def _before(once: bytes, told: Mapping[str, Any], photos: Sequence[bytes]) -> dict[str, Any] | None:
    earlier = Exposure.objects(once=once).first()
    if earlier is None:
        return None
    if earlier.text != told["text"] or len(earlier.photos) != len(photos):
        raise Problem("idempotency_key_reused")
    return receipt_view(earlier.number, once)
