"""Every hook of the platform, in one place.

`register_*` hooks collect typed records. Each is called once in every process, when the platform starts, after the
plugins that this one needs; it returns a list, empty for nothing, and None is an error that breaks the plugin. All
records are sorted by name, and a name used twice is an error that names both plugins. What the platform reads
(`roles`, `every_seconds`, `order`, ...) is written at the records themselves.

A verb is called at run time. Whatever a plugin raises there is caught, counted and shown on the health page, and the
next plugin is asked. A hook may take fewer arguments than are given here, never others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from datetime import datetime

    from click import Command

    from backend.blobs import BlobUser
    from backend.events import EventHandler, EventKind
    from backend.http import Blueprint, Pages, ProblemCode
    from backend.identity import Permission
    from backend.jobs import Job
    from backend.messages import Channel, MessageTemplate
    from backend.monitoring import HealthCheck
    from backend.plugin_api.demo import DemoDistrict
    from backend.plugin_api.maps import CardPart, MapLayer, MapRecord
    from backend.plugin_api.panels import Panel, Theme
    from backend.plugin_api.records import (
        AlertFacts,
        AlertReport,
        CompoundFacts,
        DeviceFacts,
        MaskedPhoto,
        MenuEntry,
        PlaceFacts,
        WorkOrderFacts,
        WorkOrderRequest,
    )
    from backend.rollups import Metric
    from backend.storage import Record

PROJECT = "qingxu"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- What a plugin adds: called once, when the platform starts -------------------------------------------------------


@hookspec
def register_permissions() -> Sequence[Permission]:  # type: ignore[empty-body]
    """Return the permissions that the plugin's routes, panels and menu entries ask for, named `<plugin>:<action>`.

    For example::

        @hookimpl
        def register_permissions():
            return [Permission("noise:view", "查看噪声", roles=("street_staff",))]
    """


@hookspec
def register_documents() -> Sequence[type[Record]]:  # type: ignore[empty-body]
    """Return the documents that the plugin stores; the platform makes their indexes and rotates their keys.

    The collections of a plugin from outside begin with its name and an underscore.

    For example::

        class NoiseReading(PlacedRecord):
            meta = {"collection": "noise_readings"}

        @hookimpl
        def register_documents():
            return [NoiseReading]
    """


@hookspec
def register_blueprints() -> Sequence[Blueprint]:  # type: ignore[empty-body]
    """Return the plugin's routes; each address begins with /api/v1/ and none may be taken already.

    For example::

        blueprint = Blueprint("noise", "noise.routes", url_prefix="/api/v1/noise_readings", description="噪声")

        @blueprint.route("")
        @requires("noise:view")
        @blueprint.response(200)
        def list_readings():
            return {"items": []}

        @hookimpl
        def register_blueprints():
            return [blueprint]
    """


@hookspec
def register_pages() -> Sequence[Pages]:  # type: ignore[empty-body]
    """Return the plugin's pages for people; each address begins with /<plugin>/, styles and scripts included.

    A page extends `base.html` and loads its scripts from `static_url_path="/<plugin>/static"`.

    For example::

        pages = Pages("noise_pages", "noise.pages", url_prefix="/noise", template_folder="templates")

        @pages.route("/map")
        @page("noise:view")
        def map_page():
            return "<h1>噪声地图</h1>"

        @hookimpl
        def register_pages():
            return [pages]
    """


@hookspec
def register_menu_entries() -> Sequence[MenuEntry]:  # type: ignore[empty-body]
    """Return the menu entries; a person sees those whose permission he or she holds.

    For example::

        @hookimpl
        def register_menu_entries():
            return [MenuEntry(name="noise", title="噪声", permission="noise:view", href="/cockpit/?theme=noise")]
    """


@hookspec
def register_themes() -> Sequence[Theme]:  # type: ignore[empty-body]
    """Return the cockpit themes that the plugin opens; panels of any plugin may stand on them.

    For example::

        @hookimpl
        def register_themes():
            return [Theme(name="noise", title="噪声", order=70)]
    """


@hookspec
def register_panels() -> Sequence[Panel]:  # type: ignore[empty-body]
    """Return the cockpit panels; one whose theme nobody opens is left out, with a note on the health page.

    For example::

        def show_level(view):
            return Figures([Figure("平均噪声", 52, "分贝")])

        @hookimpl
        def register_panels():
            return [Panel(name="noise.level", title="噪声", theme="noise", permission="noise:view", show=show_level)]
    """


@hookspec
def register_map_layers() -> Sequence[MapLayer]:  # type: ignore[empty-body]
    """Return the layers of the cockpit's map.

    For example::

        def show_meters(view):
            return [Point(key="M1", lon=120.1, lat=30.2, label="一号噪声仪", kind="meter")]

        @hookimpl
        def register_map_layers():
            look = {"theme": "noise", "permission": "noise:view", "live": True}
            return [MapLayer(name="noise.meters", title="噪声仪", show=show_meters, **look)]
    """


@hookspec
def register_map_records() -> Sequence[MapRecord]:  # type: ignore[empty-body]
    """Return the kinds of records that people find on the map by name, number or address, and open there.

    For example::

        METERS = {"M1": Subject(key="M1", title="一号噪声仪", kind="噪声仪", area="330110", lon=120.1, lat=30.2)}

        def read_meter(view, key):
            return METERS.get(key)

        def find_meters(view, words, limit):
            return [each for each in METERS.values() if words in each.title][:limit]

        @hookimpl
        def register_map_records():
            look = {"permission": "noise:view", "read": read_meter, "find": find_meters}
            return [MapRecord(name="noise.meter", title="噪声仪", **look)]
    """


@hookspec
def register_card_parts() -> Sequence[CardPart]:  # type: ignore[empty-body]
    """Return what the plugin says on the cards of records that people open on the map, its own and others'.

    For example::

        def loud_nights(view, subject):
            return CardSection(facts=[("超标夜数", "2")]) if subject.area else None

        @hookimpl
        def register_card_parts():
            return [CardPart(name="noise.nights", title="噪声", permission="noise:view", show=loud_nights)]
    """


@hookspec
def register_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """Return the figures that are summed ahead of time for panels.

    For example::

        @hookimpl
        def register_metrics():
            return [Metric(name="noise.readings", title="噪声读数", collection="noise_readings")]
    """


@hookspec
def register_events() -> Sequence[EventKind]:  # type: ignore[empty-body]
    """Return the kinds of events that the plugin publishes, named `<noun>.<past participle>`.

    For example::

        @hookimpl
        def register_events():
            return [EventKind(name="noise.exceeded", title="噪声超标", payload="reading, decibels")]
    """


@hookspec
def register_event_handlers() -> Sequence[EventHandler]:  # type: ignore[empty-body]
    """Return what the plugin does when something happens, in any module; handlers are idempotent by event id.

    For example::

        def note(event):
            print(event.id, event.area, event.payload["capture"])

        @hookimpl
        def register_event_handlers():
            return [EventHandler(name="noise.note", event="evidence.extracted", handle=note)]
    """


@hookspec
def register_jobs() -> Sequence[Job]:  # type: ignore[empty-body]
    """Return the plugin's background work, by schedule or to be started with `enqueue`.

    For example::

        def forget_old():
            pass

        @hookimpl
        def register_jobs():
            return [Job(name="noise.forget_old", title="清理过期噪声读数", run=forget_old, cron="0 3 * * *")]
    """


@hookspec
def register_problem_codes() -> Sequence[ProblemCode]:  # type: ignore[empty-body]
    """Return the error codes that the plugin's routes answer with, beside the platform's own.

    For example::

        @hookimpl
        def register_problem_codes():
            return [ProblemCode("meter_silent", 409, "噪声仪离线", "噪声仪已离线，请检查设备。")]
    """


@hookspec
def register_health_checks() -> Sequence[HealthCheck]:  # type: ignore[empty-body]
    """Return the checks that the health page runs for the plugin; one that raises has failed.

    For example::

        def meters():
            return Health("warn", "两台噪声仪离线，请检查电源。")

        @hookimpl
        def register_health_checks():
            return [HealthCheck(name="noise.meters", title="噪声仪", run=meters)]
    """


@hookspec
def register_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Return click commands for `python -m backend`; they run with settings, store and plugins ready.

    For example::

        import click

        @click.command("noise-report")
        def report():
            click.echo("52 dB")

        @hookimpl
        def register_commands():
            return [report]
    """


@hookspec
def register_blob_users() -> Sequence[BlobUser]:  # type: ignore[empty-body]
    """Return who keeps blobs for the plugin and which of them its records name: the rest is taken away after a day.

    Give the same name to `put_blob` as `user`; a blob that was put without one is never taken away by itself.

    For example::

        def recordings(space, hashes):
            return [each for each in hashes if each.startswith("ab")]

        @hookimpl
        def register_blob_users():
            return [BlobUser(name="noise", referenced=recordings)]
    """


@hookspec
def register_message_templates() -> Sequence[MessageTemplate]:  # type: ignore[empty-body]
    """Return what the plugin tells people with `send_message`; administrators may word it anew.

    For example::

        @hookimpl
        def register_message_templates():
            text = "{point}噪声 {decibels} 分贝，请到现场查看。"
            return [MessageTemplate(name="noise.exceeded", title="噪声超标", text=text, href="/noise/{reading}")]
    """


@hookspec
def register_channels() -> Sequence[Channel]:  # type: ignore[empty-body]
    """Return the ways to people beside the inbox that the plugin opens, such as a work notice or an SMS.

    For example::

        def blink(outgoing):
            print(outgoing.id, outgoing.title)

        @hookimpl
        def register_channels():
            return [Channel(name="noise.lamp", title="警示灯", send=blink, max_length=70)]
    """


# --- What happens at times -------------------------------------------------------------------------------------------


@hookspec
def load_demo(district: DemoDistrict) -> None:
    """Write the plugin's demo records into the fictional district; called once, in demo mode, in order of need.

    What it returns is passed over. It may be called again after a failure, so it writes nothing twice.

    For example::

        @hookimpl
        def load_demo(district):
            for compound in district.of_level("compound"):
                print(compound.path, compound.name)
    """


# --- What one plugin asks of the others: the first answer that is not None counts -------------------------------------


@hookspec(firstresult=True)
def find_device(code: str) -> DeviceFacts | None:
    """Say what is known of the device `code`: called for each capture; None when the plugin has no such device.

    For example::

        @hookimpl
        def find_device(code):
            if code != "M1":
                return None
            return DeviceFacts(code="M1", name="一号噪声仪", kind="meter", area="330110", active=True, secret="")
    """


@hookspec(firstresult=True)
def find_compound(code: str) -> CompoundFacts | None:
    """Say what compound `code` is and whose: called by whoever has to know; None for one it does not have.

    For example::

        @hookimpl
        def find_compound(code):
            if code != "C1":
                return None
            return CompoundFacts(code="C1", name="阳光花园", area="330110/330110001/330110001005/C1", active=True)
    """


@hookspec(firstresult=True)
def find_place(code: str) -> PlaceFacts | None:
    """Say where the drop-off point or station `code` is: called for each capture; None for one it does not have.

    For example::

        @hookimpl
        def find_place(code):
            if code != "P1":
                return None
            return PlaceFacts(code="P1", name="一号投放点", kind="投放点", area="330110", lon=120.1, lat=30.2)
    """


@hookspec(firstresult=True)
def find_place_near(longitude: float, latitude: float, metres: float) -> PlaceFacts | None:
    """Say which drop-off point or station in use is nearest to a place: called for reports; None without one so near.

    For example::

        @hookimpl
        def find_place_near(longitude, latitude, metres):
            if abs(longitude - 120.1) + abs(latitude - 30.2) > 0.001:
                return None
            return PlaceFacts(code="P1", name="一号投放点", kind="投放点", area="330110", lon=120.1, lat=30.2)
    """


@hookspec(firstresult=True)
def mask_photo(sha256: str, space: str) -> MaskedPhoto | None:
    """Make a copy of a stored photo on which nobody's face is to be seen: called on the queue `vision`; None if unable.

    For example::

        @hookimpl
        def mask_photo(sha256, space):
            if not space.startswith("330110"):
                return None
            return MaskedPhoto(content=b"...", media_type="image/jpeg", faces=2, made_by={"detector": "scrfd"})
    """


@hookspec(firstresult=True)
def raise_alert(report: AlertReport) -> AlertFacts | None:
    """Take in something seen as an alert, or count it into the one that it belongs to: called by whoever reports.

    For example::

        @hookimpl
        def raise_alert(report):
            if report.kind != "E02":
                return None
            facts = {"id": "1", "number": "YJ1", "title": "满溢", "state": "raised"}
            return AlertFacts(kind=report.kind, area=report.area, new=True, **facts)
    """


@hookspec(firstresult=True)
def working_deadline(area: str, start: datetime, minutes: int) -> datetime | None:
    """Say when so many working minutes have passed in an area: called for limits in working hours.

    For example::

        from datetime import timedelta

        @hookimpl
        def working_deadline(area, start, minutes):
            return start + timedelta(minutes=minutes) if area.startswith("330110") else None
    """


@hookspec(firstresult=True)
def open_work_order(request: WorkOrderRequest) -> WorkOrderFacts | None:
    """Open a work order, or return the one that this source has opened before: called for whatever needs handling.

    For example::

        @hookimpl
        def open_work_order(request):
            if request.kind != "E02":
                return None
            facts = {"id": "1", "number": "PD1", "state": "reported", "handler": ""}
            return WorkOrderFacts(area=request.area, new=True, **facts)
    """
