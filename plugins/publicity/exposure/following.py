"""From an accepted exposure to an alert, and from what becomes of that to what its reporter reads.

The decision and the wish for an alert are stored together; a worker makes the alert and notes it. Killed in between it
is run again, and the alert's module knows the wish by its number. What happens to the alert meanwhile waits until the
alert is noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bson import ObjectId

from backend.plugin_api import (
    Actor,
    AlertReport,
    Event,
    EventHandler,
    Postponed,
    atomically,
    mark_dirty,
    publish,
    raise_alert,
    utcnow,
)
from plugins.publicity.exposure.categories import categories
from plugins.publicity.exposure.models import FLOW, Exposure
from plugins.publicity.exposure.reporting import METRIC

PLATFORM = Actor(id="system", name="系统", kind="system")
#: How often it is tried to raise an alert while no module takes it.
AGAIN_SECONDS = 60
#: How long an event of an unknown alert waits for an exposure that is being converted near it.
CONVERTING = timedelta(minutes=10)

#: What the reporter reads when something happens to the alert, or to its work order.
WORDS = {
    "work_order.filed": "已派单立案",
    "work_order.dispatched": "已派遣处置人员",
    "work_order.taken": "处置人员已接单",
    "work_order.replied": "处置人员已反馈处理情况，等待核查",
    "work_order.reworked": "核查未通过，已要求重新处理",
    "work_order.suspended": "暂缓办理",
    "work_order.resumed": "恢复办理",
    "work_order.escalated": "办理超时，已提级督办",
    "work_order.closed": "核查通过，已结案",
    "work_order.reopened": "重新立案办理",
    "alert.closed": "问题已处理完毕",
    "alert.dismissed": "经核查，未发现所反映的问题",
    "alert.reopened": "重新办理",
}
#: What a closed order's result says instead; one that went into another order has not ended.
RESULTS = {"forced_closed": "已结案", "dismissed": "经核查，未发现所反映的问题", "merged": "已并入同类派单一并办理"}
#: These end what is being handled, and these take up again what had ended; the first of each counts.
ENDS = ("work_order.closed", "alert.closed", "alert.dismissed")
RESUMES = ("work_order.reopened", "alert.reopened")


def convert(event: Event) -> None:
    """Make an accepted exposure an alert, once; raises Postponed while no module takes it."""
    exposure = Exposure.objects(id=ObjectId(event.payload["exposure"])).first()
    if exposure is None or exposure.state != "converting" or exposure.again != event.payload["round"]:
        return
    lon, lat = exposure.place["coordinates"] if exposure.place else (None, None)
    facts = raise_alert(
        AlertReport(
            kind=categories()[exposure.category].alert_kind,
            source="exposure",
            event_id=f"{exposure.id}-{exposure.again}",
            at=exposure.reported_at if exposure.again == 1 else event.occurred_at,
            point=exposure.point,
            area=exposure.area,
            lon=lon,
            lat=lat,
            note=exposure.edited or exposure.text,
            pictures=tuple(photo.masked for photo in exposure.photos if photo.masked),
            link=f"/publicity/moderation?exposure={exposure.id}",
        )
    )
    if facts is None:
        raise Postponed("No module takes this alert now.", seconds=AGAIN_SECONDS)
    step = {"event": event.id, "at": utcnow(), "text": f"已立案，编号 {facts.number}"}
    noted = {
        "alert": facts.id,
        "alert_number": facts.number,
        "alerts": [*exposure.alerts, facts.id],
        "steps": [*exposure.steps, step],
    }

    def write() -> None:
        FLOW.fire(exposure, "convert", actor=PLATFORM, changes=noted)
        told = {"exposure": str(exposure.id), "number": exposure.number, "alert": facts.id}
        publish("exposure.converted", told, area=exposure.area)
        mark_dirty(METRIC, exposure.area, exposure.reported_at)

    atomically(write)


def follow(event: Event) -> None:
    """Tell the reporters of an alert what happened to it; each event is told once. Raises Postponed, see above."""
    alert = str(event.payload.get("alert") or "")
    exposures = list(Exposure.objects(alert=alert)) if alert else []
    fresh = alert and not exposures and utcnow() - event.occurred_at < CONVERTING
    # Its note may be on the way: whoever makes it has the exposure in this state until then.
    if fresh and Exposure.objects(state="converting", area=event.area).only("id").first():
        raise Postponed("An exposure of this place is being converted.", seconds=5)
    for exposure in exposures:
        _tell(exposure, event)


def _tell(exposure: Exposure, event: Event) -> None:
    result = str(event.payload.get("result") or "")
    text = RESULTS.get(result, WORDS[event.name]) if event.name == "work_order.closed" else WORDS[event.name]
    ends, resumes = event.name in ENDS and result != "merged", event.name in RESUMES
    if (ends and exposure.state != "handling") or (resumes and exposure.state != "handled"):
        return  # the alert and its order end both; the reporter is told once

    def write() -> None:
        _add_step(exposure, {"event": event.id, "at": event.occurred_at, "text": text})
        # Read again: the step is a change of its own.
        now = Exposure.objects.get(id=exposure.id)
        if ends:
            FLOW.fire(now, "finish", actor=PLATFORM, changes={"result": text, "handled_at": event.occurred_at})
            told = {"exposure": str(exposure.id), "number": exposure.number, "alert": exposure.alert}
            publish("exposure.handled", told, area=exposure.area)
        elif resumes:
            changes = {"result": None, "handled_at": None, "published_at": None}
            FLOW.fire(now, "resume", actor=PLATFORM, changes=changes)
        if ends or resumes:
            mark_dirty(METRIC, exposure.area, exposure.reported_at)

    atomically(write)


def _add_step(exposure: Exposure, step: Mapping[str, Any]) -> None:
    told_before = {"_id": exposure.id, "steps.event": {"$ne": step["event"]}}
    Exposure._get_collection().update_one(told_before, {"$push": {"steps": dict(step)}})


HANDLERS = (
    EventHandler(name="publicity.convert", event="exposure.accepted", handle=convert),
    *(EventHandler(name=f"publicity.follow_{name.replace('.', '_')}", event=name, handle=follow) for name in WORDS),
)
