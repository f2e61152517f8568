"""One step with many orders: each by itself, so that one that cannot take it keeps none of the others back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Forbidden,
    IllegalTransition,
    Principal,
    Problem,
    StaleVersion,
    TransitionRefused,
    etag_of,
)
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.reading import visible
from plugins.dispatch.orders.steps import dispatch, take_step
from plugins.dispatch.orders.targets import chosen


def batch(by: Principal, verb: str, items: Sequence[Mapping[str, str]], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take a step with each order in the version that was seen, and say of each what became of it."""
    wanted = [ObjectId(each["id"]) for each in items]
    found = {order.id: order for order in WorkOrder.objects(__raw__={"$and": [{"_id": {"$in": wanted}}, visible(by)]})}
    results = []
    for item in items:
        order = found.pop(ObjectId(item["id"]), None)
        results.append({"id": item["id"], **one(by, order, verb, item["etag"], asked)})
    return {"done": sum(each["done"] for each in results), "items": results}


def one(by: Principal, order: WorkOrder | None, verb: str, etag: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take the step with one order; what stands against it becomes the result."""
    try:
        if order is None:
            raise Problem("not_found")
        if etag_of(order).strip('"') != etag:
            raise Problem("stale_version")
        after = (
            dispatch(by, order, chosen(order.area, asked), asked["reason"])
            if verb == "dispatch"
            else take_step(by, order, verb, reason=asked["reason"])
        )
    except Problem as problem:
        return refused(problem)
    except StaleVersion:
        return refused(Problem("stale_version"))
    except (IllegalTransition, TransitionRefused):
        return refused(Problem("conflict", detail="派单当前状态不能进行此操作。"))
    except Forbidden:
        return refused(Problem("forbidden"))
    return {"done": True, "etag": etag_of(after).strip('"'), "state": after.state}


def refused(problem: Problem) -> dict[str, Any]:
    """Return a result that says why not."""
    words = [sentence for sentences in (problem.fields or {}).values() for sentence in sentences]
    return {"done": False, "code": problem.kind.code, "detail": "".join(words) or problem.detail}
