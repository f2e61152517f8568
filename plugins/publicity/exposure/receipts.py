"""What the holder of a receipt code may do: see each step, rate the end, and ask once for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backend.plugin_api import (
    Actor,
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    acting,
    atomically,
    audit,
    blind_index,
    count_against,
    current_settings,
    decrypt_field,
    mark_dirty,
    publish,
    read_code,
    refuse_spent,
    utcnow,
)
from plugins.publicity.exposure.categories import Category, categories
from plugins.publicity.exposure.models import FLOW, Exposure, Receipt, Reporter, keyed
from plugins.publicity.exposure.reporting import METRIC, hash_of_code

HOLDER = Actor(id="receipt", name="举报人", kind="reporter", address="")
MOST_OWN = 100


def open_receipt(typed: str, address: str) -> tuple[Exposure, bool]:
    """Return the exposure of a code, and whether its holder reported it rather than joined in.

    Raises Problem `receipt_code_wrong` for any code that opens nothing, and `too_many_requests` after too many.
    """
    rate, key = current_settings().receipt_tries, f"receipt-tries:{keyed('sender', address).hex()}"
    refuse_spent(rate, key)
    code = read_code(typed)
    receipt = Receipt.objects(code=hash_of_code(code)).first() if code else None
    exposure = Exposure.objects(id=receipt.exposure).first() if receipt else None
    if receipt is None or exposure is None:
        count_against(rate, key)
        raise Problem("receipt_code_wrong")
    return exposure, not receipt.supporter


def receipt_view(exposure: Exposure, *, own: bool, titles: Mapping[str, Category] | None = None) -> dict[str, Any]:
    """Return what the holder of a receipt reads; who only joined in reads no text of others."""
    known = titles or categories()
    steps = [{"at": exposure.reported_at, "text": "已收到，等待审核"}]
    steps += [{"at": each["at"], "text": WORDS[each["verb"]]} for each in exposure.timeline if each["verb"] in WORDS]
    steps += [{"at": each["at"], "text": each["text"]} for each in exposure.steps]
    return {
        "number": exposure.number,
        "category_title": known[exposure.category].title,
        "point_name": exposure.point_name,
        "reported_at": exposure.reported_at if own else exposure.reported_on,
        "text": exposure.text if own else "",
        "photos": len(exposure.photos) if own else 0,
        "state": exposure.state,
        "state_title": FLOW.states[exposure.state],
        "reason": exposure.reason or "",
        "result": exposure.result or "",
        "steps": sorted(steps, key=lambda each: each["at"]),
        "supports": exposure.supports or 0,
        "own": own,
        "may_rate": own and exposure.state == "handled" and not exposure.stars,
        "may_ask_again": own and exposure.state == "handled" and not exposure.asked_again,
        "stars": exposure.stars if own else None,
        "published": bool(exposure.published_at),
    }


#: What the reporter reads of the steps that people take.
WORDS = {
    "accept": "审核通过，已受理",
    "reject": "不予受理",
    "restore": "重新审核",
    "ask_again": "已收到重办申请，等待审核",
    "decline": "重办申请未通过",
}


def rate(exposure: Exposure, stars: int, text: str) -> Exposure:
    """Keep what the reporter thinks of the end; the same rating again changes nothing, another is a `conflict`."""
    if exposure.stars and (exposure.stars, exposure.rating or "") == (stars, text):
        return exposure
    if exposure.state != "handled" or exposure.stars:
        raise Problem("conflict", detail="办结之后才能评价，且只能评价一次。")
    sealed = Exposure(id=exposure.id, rating=text or None, rated_at=utcnow()).to_mongo()
    values = {name: sealed[name] for name in ("rating", "rated_at") if name in sealed}

    def write() -> None:
        open_still = {"_id": exposure.id, "state": "handled", "stars": None}
        update = {"$set": {"stars": stars, **values}, "$inc": {"version": 1}}
        if not Exposure._get_collection().update_one(open_still, update).modified_count:
            raise Problem("conflict", detail="办结之后才能评价，且只能评价一次。")
        with acting(HOLDER):
            audit.record("publicity.exposure.rate", **_about(exposure), detail={"stars": stars})
        told = {"exposure": str(exposure.id), "number": exposure.number, "stars": stars}
        publish("exposure.rated", told, area=exposure.area)
        mark_dirty(METRIC, exposure.area, exposure.reported_at)

    atomically(write)
    return Exposure.objects.get(id=exposure.id)


def ask_again(exposure: Exposure, text: str) -> Exposure:
    """Ask that a handled exposure be handled anew; once."""
    if exposure.asked_again:
        raise Problem("conflict", detail="重办只能申请一次。")

    def write() -> Exposure:
        after = FLOW.fire(exposure, "ask_again", actor=HOLDER, changes={"asked_again": text, "published_at": None})
        with acting(HOLDER):
            audit.record("publicity.exposure.ask_again", **_about(exposure))
        mark_dirty(METRIC, exposure.area, exposure.reported_at)
        return after

    return _attempted(write)


def own_exposures(by: Principal) -> list[dict[str, Any]]:
    """Return the newest exposures that a person reported under the own name, as receipts show them."""
    mine = {"account_index": blind_index(Reporter, "account", str(by.id))}
    rows = Reporter._get_collection().find(mine).sort("created_at", -1).limit(MOST_OWN)
    ids = [decrypt_field(Reporter, row["_id"], "exposure", row["exposure"]) for row in rows]
    found = Exposure.objects(id__in=ids).order_by("-reported_at")
    known = categories()
    return [receipt_view(each, own=True, titles=known) for each in found]


def _about(exposure: Exposure) -> dict[str, Any]:
    return {"subject": "publicity.exposure", "subject_id": str(exposure.id), "area": exposure.area}


def _attempted(write: Callable[[], Exposure]) -> Exposure:
    try:
        return atomically(write)
    except IllegalTransition as error:
        raise Problem("conflict", detail="办结之后才能申请重办。") from error
    except StaleVersion as error:
        raise Problem("stale_version") from error
