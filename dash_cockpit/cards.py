"""What people find on the map and open: search over the records of all modules, and a card put together from parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson
from flask import Blueprint, Response, abort, request

from backend.plugin_api.maps import CardPart, CardSection, MapRecord, Subject
from backend.plugin_api.panels import View
from dash_cockpit.lists import own_address
from dash_cockpit.snapshots import Answer, Snapshots
from dash_cockpit.sources import CockpitSources, Owned

FRESH_SECONDS = 5.0
MOST_FOUND = 6
LONGEST_QUESTION = 40


def card_routes(routes: Blueprint, sources: CockpitSources, patience_seconds: float) -> None:
    """Add the routes of search and cards; the caller has made sure that somebody is logged in."""
    # Kept apart from panels: what one person types must not push out what all screens show.
    snapshots = Snapshots(patience_seconds)

    @routes.get("/find")
    def find() -> Response:
        viewer = sources.principal()
        words = " ".join(request.args.get("q", "").split())[:LONGEST_QUESTION]
        groups = []
        for owned in sources.records_of(viewer) if words else ():
            record: MapRecord = owned.record
            if record.find is None:
                continue
            view = view_of(viewer, record.permission)
            answer = read(owned, f"search {record.name}", view, words, searched(record.find))
            if answer.snapshot:
                items = orjson.loads(answer.snapshot.body)
                groups += [{"record": record.name, "title": record.title, "items": items}] if items else []
        return json_of({"words": words, "groups": groups})

    @routes.get("/card/<kind>")
    def show_card(kind: str) -> Response:
        viewer, key = sources.principal(), request.args.get("key", "")
        subject = subject_of(viewer, kind, key)
        parts = [{"name": each.record.name, "title": each.record.title} for each in sources.parts_of(viewer, kind)]
        return json_of({"subject": vars(subject), "parts": parts})

    @routes.get("/card/<kind>/<name>")
    def show_part(kind: str, name: str) -> Response:
        viewer, key = sources.principal(), request.args.get("key", "")
        subject = subject_of(viewer, kind, key)
        owned = part_of(viewer, kind, name)
        part: CardPart = owned.record

        def shown(view: View, _: str) -> Any:
            section = part.show(view, subject)
            return None if section is None else section_json(section)

        view = view_of(viewer, part.permission, subject.area)
        answer = read(owned, f"card {name}", view, f"{kind}/{key}", shown)
        if answer.snapshot is None:
            return json_of({"failed": True})
        may_dial = part.dial is not None and sources.permitted(viewer, part.dial_permission)
        return json_of({"section": orjson.loads(answer.snapshot.body), "dial": may_dial})

    @routes.post("/card/<kind>/<name>/dial")
    def dial(kind: str, name: str) -> Response:
        viewer: Any = sources.principal()
        key, person = request.args.get("key", ""), request.args.get("person", "")
        owned = part_of(viewer, kind, name)
        part: CardPart = owned.record
        if part.dial is None or not sources.permitted(viewer, part.dial_permission):
            abort(403)
        # Held elsewhere is not enough: the record itself must lie where the viewer may look at numbers.
        subject = subject_of(viewer, kind, key, part.dial_permission)
        phone = ""
        with sources.acting(viewer), sources.guard(owned.plugin, f"card {name} dial"):
            phone = part.dial(viewer, subject, person)
        return json_of({"phone": phone}) if phone else abort(503)

    def subject_of(viewer: Any, kind: str, key: str, permission: str = "") -> Subject:
        owned = next((each for each in sources.records_of(viewer) if each.record.name == kind), None) or abort(404)
        record: MapRecord = owned.record
        view = view_of(viewer, permission or record.permission)
        found = None
        with sources.guard(owned.plugin, f"record {kind}"):
            found = record.read(view, key)
        return found or abort(404)

    def part_of(viewer: Any, kind: str, name: str) -> Owned[CardPart]:
        return next((each for each in sources.parts_of(viewer, kind) if each.record.name == name), None) or abort(404)

    def view_of(viewer: Any, permission: str, within: str = "") -> View:
        area = within or sources.home(viewer)
        return View(area=area, scope=sources.scope_filter(viewer, permission, within=area))

    def read(owned: Owned[Any], where: str, view: View, words: str, show: Callable[[View, str], Any]) -> Answer:
        def make() -> bytes | None:
            body = None
            with sources.guard(owned.plugin, where):
                body = orjson.dumps(show(view, words))
            return body

        def too_slow() -> None:
            with sources.guard(owned.plugin, where):
                raise TimeoutError("It took longer than the cockpit waits.")

        scope = orjson.dumps(view.scope, default=repr, option=orjson.OPT_SORT_KEYS)
        return snapshots.read(where, (where, words, scope), make, FRESH_SECONDS, too_slow)


def searched(find: Callable[[View, str, int], Sequence[Subject]]) -> Callable[[View, str], Any]:
    """Return the search of one kind of record as JSON."""
    return lambda view, words: [vars(each) for each in find(view, words, MOST_FOUND)[:MOST_FOUND]]


def section_json(section: CardSection) -> dict[str, Any]:
    """Return a section as the page draws it; pictures and links of other servers are left out."""
    return {
        "facts": [list(fact) for fact in section.facts if fact[1]],
        "pictures": [
            {"address": address, "caption": each.caption}
            for each in section.pictures
            if (address := own_address(each.address))
        ],
        "people": [vars(each) for each in section.people],
        "lines": [{**vars(each), "link": own_address(each.link)} for each in section.lines],
        "links": [[title, address] for title, href in section.links if (address := own_address(href))],
        "more": section.more,
    }


def json_of(content: Any) -> Response:
    """Return an answer that nobody keeps."""
    response = Response(orjson.dumps(content), mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
