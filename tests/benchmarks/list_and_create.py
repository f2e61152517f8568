"""Server CPU of a list and of a create, against python-eve (see `eve_peer`) for the same on the same store.

What is counted is the CPU of the one gunicorn worker that answers, for requests that come over loopback, asked by
turns. Ours has a login by bearer token, the scope of a street's staff, encrypted contacts (shown masked), rates,
metrics and request numbers, and on a create the checks against other registers, the audit trail, the area tree and the
marks on the figures, in one transaction; Eve has none of these.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from bson import ObjectId
from pymongo import MongoClient

from backend import storage
from backend.identity.demo import DEMO_PASSWORD
from backend.settings import Settings, variable
from tests.benchmarks import ground
from tests.benchmarks.ratio import Ratio, medians
from tests.benchmarks.serving import Served, serve

RECORDS = 20_000
ROUNDS = 15
REQUESTS = 40
COMPANY = "P003"


def measure() -> Iterator[Ratio]:
    """Measure both."""
    with ground.platform() as settings:
        app = ground.app_of(settings)
        rows = ground.compounds(RECORDS)
        ground.send_workbook(app, ground.sign_in(app, "district"), ground.workbook(rows))
        copy_to_peer(settings)
        environment = {variable(each.name): text(getattr(settings, each.name)) for each in dataclasses.fields(settings)}
        environment |= {"PROMETHEUS_MULTIPROC_DIR": str(settings.data_dir / "metrics")}
        (settings.data_dir / "metrics").mkdir()
        with (
            serve("wsgi:app", environment, config="python:backend.run.web") as ours,
            serve(
                "tests.benchmarks.eve_peer:make_app()", {"EVE_STORE": f"{settings.mongodb_url.replace('/?', '/eve?')}"}
            ) as eve,
        ):
            yield compare("list 50 of 20,000 compounds", 200, ours_lists(ours), eve_lists(eve), (ours, eve))
            yield compare("create a compound", 201, ours_creates(ours, "M"), eve_creates(eve, "compounds"), (ours, eve))
            bare = compare(
                "create, Eve without rules", 201, ours_creates(ours, "N"), eve_creates(eve, "bare"), (ours, eve)
            )
            yield dataclasses.replace(bare, at_most=None)


def compare(
    name: str, status: int, our: Callable[[], Any], its: Callable[[], Any], both: tuple[Served, Served]
) -> Ratio:
    """Ask both by turns and compare the CPU of their workers."""
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 2):
        for ask, server, taken in zip((our, its), both, costs, strict=True):
            before = server.cpu()
            for _ in range(REQUESTS):
                answer = ask()
                assert answer[0] == status, answer
            if number >= 2:  # warm by then
                taken.append((server.cpu() - before) / REQUESTS * 1000)
    mine, other, ratio = medians(*costs)
    return Ratio(name=f"CPU, {name}", ours=f"{mine:.2f} ms", peer=f"eve {other:.2f} ms", ratio=ratio, at_most=1.0)


def ours_lists(server: Served) -> Callable[[], Any]:
    """Return a call that asks for the pages of a filtered list in turn."""
    headers = bearer(server, "street")
    pages, cursor = [], ""
    while len(pages) < 6:
        query = {"limit": 50, "property_company": COMPANY, **({"cursor": cursor} if cursor else {})}
        pages.append(f"/api/v1/compounds?{urlencode(query)}")
        answer = json.loads(server.ask("GET", pages[-1], headers)[1])
        assert len(answer["items"]) == 50, answer
        cursor = answer["next_cursor"]
    addresses = cycle(pages)
    return lambda: server.ask("GET", next(addresses), headers)


def eve_lists(server: Served) -> Callable[[], Any]:
    """Return the same for Eve; the scope of the street is a part of what is asked."""
    street = storage.database()["users"].find_one({"account": "street"})["area"]
    where = {"area": {"$gte": street, "$lt": f"{street}0"}, "property_company": COMPANY}
    query = {"where": json.dumps(where), "sort": "-_id", "max_results": 50}
    pages = [f"/compounds?{urlencode({**query, 'page': number})}" for number in range(1, 7)]
    for page in pages:
        assert len(json.loads(server.ask("GET", page)[1])["_items"]) == 50
    addresses = cycle(pages)
    return lambda: server.ask("GET", next(addresses))


def ours_creates(server: Served, letter: str) -> Callable[[], Any]:
    """Return a call that adds a compound."""
    headers = bearer(server, "district")
    rows = iter(ground.compounds((ROUNDS + 2) * REQUESTS, letter))
    return lambda: server.ask("POST", "/api/v1/compounds", headers, next(rows))


def eve_creates(server: Served, resource: str) -> Callable[[], Any]:
    """Return the same for Eve; what follows from other records is a part of what is sent."""
    paths = ground.communities()
    rows = iter(ground.compounds((ROUNDS + 2) * REQUESTS, "M"))
    return lambda: server.ask("POST", f"/{resource}", {}, peer_values(next(rows), paths))


def peer_values(row: dict[str, Any], paths: dict[str, str]) -> dict[str, Any]:
    """Return a compound as Eve is to store it."""
    values = dict(row)
    place = {"type": "Point", "coordinates": [values.pop("longitude"), values.pop("latitude")]}
    return {**values, "area": f"{paths[row['area_code']]}/{row['code']}", "place": place}


def copy_to_peer(settings: Settings) -> None:
    """Give Eve the same compounds, as if it had stored them, with the same indexes."""
    paths, now = ground.communities(), storage.utcnow()
    own = {"_created": now, "_updated": now, "_version": 1, "active": True}
    documents = [
        {"_id": ObjectId(), **peer_values(row, paths), **own, "_etag": secrets.token_hex(20)}
        for row in ground.compounds(RECORDS)
    ]
    with MongoClient(settings.mongodb_url) as client:
        for resource in ("compounds", "bare"):
            compounds = client["eve"][resource]
            compounds.create_index([("code", 1)], unique=True)
            for name in ("property_company", "contact_phone"):
                compounds.create_index([(name, 1)])
            compounds.create_index([("area", 1), ("_id", -1)])
            for start in range(0, RECORDS, 1000):
                compounds.insert_many(documents[start : start + 1000], ordered=False)
        for resource, codes in (("areas", sorted(paths)), ("companies", [f"P{n:03d}" for n in range(1, 15)])):
            client["eve"][resource].create_index([("code", 1)], unique=True)
            client["eve"][resource].insert_many([{"code": code, **own} for code in codes])


def bearer(server: Served, account: str) -> dict[str, str]:
    """Sign a demo account in."""
    answer = server.ask("POST", "/api/v1/sessions", {}, {"account": account, "password": DEMO_PASSWORD})
    return {"Authorization": f"Bearer {json.loads(answer[1])['access_token']}"}


def text(value: Any) -> str:
    """Return a setting as its variable holds it."""
    return ",".join(value) if isinstance(value, tuple) else str(value)
