"""Server CPU of the work-order list with three filters over 100,000 orders, against the same list over 1,000.

What is counted is the CPU of the one gunicorn worker that answers over loopback, by turns. All orders lie in one
collection, of two streets: one has a thousand, the other a hundred thousand; each is asked for by that street's staff.
The orders are inserted straight into the collection, as copies of one that the platform itself has opened: the list
reads nothing else of them. The store's own time is not counted; in the embedded one it grows with the matches.
"""

from __future__ import annotations

import dataclasses
import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId

from backend import storage
from backend.identity.demo import DEMO_PASSWORD
from backend.identity.people import make_user
from backend.plugin_api import WorkOrderRequest, open_work_order
from backend.settings import Settings, variable
from tests.benchmarks import ground
from tests.benchmarks.ratio import Ratio, medians
from tests.benchmarks.serving import Served, serve

FEW, MANY = 1_000, 100_000
ROUNDS, REQUESTS = 7, 16
KINDS, STATES = ("E02", "E03", "E04", "E07"), ("in_progress", "closed")
PAGES, LIMIT = 2, 30


def measure() -> Iterator[Ratio]:
    """Measure both lists."""
    with ground.platform() as settings:
        ground.app_of(settings)
        streets = sorted(row["path"] for row in storage.database()["areas"].find({"level": "street"}))
        few, many = streets[1], streets[2]
        storage.database()["work_orders"].delete_many({})
        fill(few, FEW)
        fill(many, MANY)
        for name, street in (("few", few), ("many", many)):
            values = {"account": name, "name": name, "user_type": "street_staff", "area": street}
            make_user(DEMO_PASSWORD, must_change=False, **values)
        with serve("wsgi:app", environment_of(settings), config="python:backend.run.web") as server:
            yield compare(server)


def fill(street: str, count: int) -> None:
    """Insert orders of a street, spread over its compounds, kinds and states."""
    inside = {"level": "compound", "path": {"$gte": street, "$lt": f"{street}0"}}
    compounds = [row["path"] for row in storage.database()["areas"].find(inside)]
    request = WorkOrderRequest(source="patrol", source_id=street, kind="E02", title="满溢", area=compounds[0])
    facts = open_work_order(request)
    assert facts is not None
    orders = storage.database()["work_orders"]
    pattern = orders.find_one_and_delete({"_id": ObjectId(facts.id)})
    pattern.pop("source_key")
    chance, now = random.Random(street), storage.utcnow()
    for start in range(0, count, 2000):
        orders.insert_many(
            [
                {
                    **pattern,
                    "_id": ObjectId(),
                    "number": f"PD{street.rpartition('/')[2]}-{number:06d}",
                    "area": chance.choice(compounds),
                    "kind": KINDS[number % 4],
                    "state": STATES[number // 4 % 2],
                    "severity": number // 8 % 2 + 2,
                    "due_at": now + timedelta(minutes=number % 5000),
                }
                for number in range(start, min(start + 2000, count))
            ],
            ordered=False,
        )


def compare(server: Served) -> Ratio:
    """Ask for both lists by turns and compare the CPU of the worker, each over a span of the same length."""
    many, few = pages(server, "many"), pages(server, "few")
    costs: dict[str, list[float]] = {"many": [], "few": []}
    for number in range(ROUNDS + 1):
        large = small = 0.0
        for _ in range(REQUESTS):
            span, cost = spent(server, many)
            large += cost
            small += spent(server, few, span)[1]
        if number:  # warm by then
            costs["many"].append(large / REQUESTS * 1000)
            costs["few"].append(small / REQUESTS * 1000)
    ours, peer, ratio = medians(costs["many"], costs["few"])
    return Ratio(
        name=f"CPU, page of 30 orders by three filters, of {MANY:,}",
        ours=f"{ours:.2f} ms",
        peer=f"of {FEW:,} {peer:.2f} ms",
        ratio=ratio,
        at_most=1.2,
    )


def spent(server: Served, ask: Callable[[], tuple[int, bytes]], span: float = 0) -> tuple[float, float]:
    """Return how long an answer took, at least `span`, and the worker's CPU meanwhile, in seconds.

    A worker does a little all the time; over spans of the same length that counts the same for both lists.
    """
    before, begun = server.cpu(), time.monotonic()
    status, _ = ask()
    assert status == 200
    time.sleep(max(0.0, span - (time.monotonic() - begun)))
    return time.monotonic() - begun, server.cpu() - before


def pages(server: Served, account: str) -> Callable[[], tuple[int, bytes]]:
    """Return a call that asks for the first pages of a street's list in turn: kind, state and severity."""
    answer = server.ask("POST", "/api/v1/sessions", {}, {"account": account, "password": DEMO_PASSWORD})
    headers = {"Authorization": f"Bearer {json.loads(answer[1])['access_token']}"}
    query: dict[str, Any] = {"kind": "E02", "state": "in_progress", "severity": 2, "limit": LIMIT}
    addresses, cursor = [], ""
    while len(addresses) < PAGES:
        addresses.append(f"/api/v1/work-orders?{urlencode({**query, **({'cursor': cursor} if cursor else {})})}")
        found = json.loads(server.ask("GET", addresses[-1], headers)[1])
        assert len(found["items"]) == query["limit"], found
        cursor = found["next_cursor"]
    turns = cycle(addresses)
    return lambda: server.ask("GET", next(turns), headers)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the settings as the environment of a server."""
    (settings.data_dir / "metrics").mkdir()
    values = {each.name: getattr(settings, each.name) for each in dataclasses.fields(settings)}
    told = {
        variable(name): str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()
    }
    return told | {"PROMETHEUS_MULTIPROC_DIR": str(settings.data_dir / "metrics")}
