"""An order follows the alert that it was made from: what turns out to be nothing needs nobody."""

from __future__ import annotations

from datetime import timedelta

from backend.plugin_api import Event, EventHandler, IllegalTransition, Postponed, StaleVersion, utcnow
from plugins.dispatch.calendar.keeping import calendar_of
from plugins.dispatch.orders.effects import ended, reopened
from plugins.dispatch.orders.models import WorkOrder
from plugins.dispatch.orders.opening import follow_alert
from plugins.dispatch.orders.steps import carry_out, gather, mergeable

#: What is said of an order whose alert ended by itself.
WORDS = {"alert.dismissed": "预警已排除", "alert.closed": "预警已办结"}
#: An order that nobody was sent for ends with its alert; whoever is on the way ends it with a reply.
NOBODY_SENT = ("reported", "filed", "returned")
#: So long the order of an alert may be on its way.
OPENING = timedelta(minutes=2)


def end(event: Event) -> None:
    """Dismiss the order of an alert that ended before anybody was sent; told again it changes nothing."""
    order = order_for(event)
    if order is None or order.state not in NOBODY_SENT:
        return
    now = utcnow()
    made = ended(order, calendar_of(order.area), now, handled=False)
    carry_out(order, "dismiss", made, WORDS[event.name], now)


def end_with_other(event: Event) -> None:
    """Put the order of an alert that went into another one into the order of that; told again it changes nothing."""
    order = order_for(event)
    into = WorkOrder.objects(source_key=f"alert/{event.payload['merged_into']}").first()
    if order is None or order.state not in NOBODY_SENT or into is None or not mergeable(order, into):
        return
    gather(order, into, "预警已合并")


def begin_again(event: Event) -> None:
    """Open the order of an alert again that was dismissed with it, or that had ended; told again it changes nothing."""
    order = order_for(event)
    if order is None or order.ended_at is None or order.ended_at > event.occurred_at:
        return
    now = utcnow()
    try:
        carry_out(order, "reopen", reopened(calendar_of(order.area), now), "预警重新打开", now)
    except (IllegalTransition, StaleVersion):
        return  # merged into another one, or opened again by somebody


def order_for(event: Event) -> WorkOrder | None:
    """Return the order of an event's alert, None where there is none; raises Postponed while it may be on its way."""
    order: WorkOrder | None = WorkOrder.objects(source_key=f"alert/{event.payload['alert']}").first()
    if order is None and utcnow() - event.occurred_at < OPENING:
        raise Postponed("The order of this alert may be on its way.", seconds=30)
    return order


HANDLERS = (
    EventHandler(name="dispatch.suggest", event="alert.raised", handle=follow_alert),
    EventHandler(name="dispatch.alert_dismissed", event="alert.dismissed", handle=end),
    EventHandler(name="dispatch.alert_closed", event="alert.closed", handle=end),
    EventHandler(name="dispatch.alert_merged", event="alert.merged", handle=end_with_other),
    EventHandler(name="dispatch.alert_reopened", event="alert.reopened", handle=begin_again),
)
