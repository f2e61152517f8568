"""Every figure that a module registers stays exact, whatever becomes of its records."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from backend import rollups
from backend.rollups import Metric, mark_dirty, recompute_dirty
from backend.storage import atomically, database
from tests.district import District
from tests.rollups.exactness import assert_exact

AREAS = ("33/1", "33/1/5", "33/1/5/C1", "33/1/5/C2", "33/1/6/C3", "33/2/7/C4", "33/10/8/C5")
#: The end of a month in Shanghai is 16:00 of the day before in UTC.
EDGES = (datetime(2026, 9, 30, 15, 59, tzinfo=UTC), datetime(2026, 9, 30, 16, tzinfo=UTC))
VALUES = ("closed", "merged", "raised", "confirmed", True, False, None, 0, 3)
STEPS = 30


def fields_in(expression: Any) -> Iterator[str]:
    """Yield the fields that an expression reads."""
    if isinstance(expression, str) and expression.startswith("$") and not expression.startswith("$$"):
        yield expression[1:]
    elif isinstance(expression, Mapping):
        for each in expression.values():
            yield from fields_in(each)
    elif isinstance(expression, list | tuple):
        for each in expression:
            yield from fields_in(each)


def sought_in(expression: Any) -> Iterator[tuple[str, Any]]:
    """Yield each field that an expression looks into for a constant, with the constant: such fields hold lists."""
    if isinstance(expression, Mapping):
        for name, each in expression.items():
            if name == "$in":
                yield from ((field, each[0]) for field in fields_in(each[1]))
            else:
                yield from sought_in(each)
    elif isinstance(expression, list | tuple):
        for each in expression:
            yield from sought_in(each)


class History:
    """Records of one metric, and what becomes of them."""

    def __init__(self, metric: Metric, chance: random.Random) -> None:
        self.metric, self.chance = metric, chance
        self.rows = database()[metric.source]
        self.known: list[dict[str, Any]] = []

    def record(self) -> dict[str, Any]:
        """Return a record that may be old, late or lie on the edge of a month, and may count or not."""
        chance, metric = self.chance, self.metric
        row: dict[str, Any] = {"_id": ObjectId(), "area": chance.choice(AREAS)}
        for measure in metric.measures.values():
            row |= {name: chance.choice((None, 0, 1, 2, 7, -3)) for name in fields_in(measure)}
        for measure in metric.measures.values():
            for name, constant in sought_in(measure):
                held = row[name] if isinstance(row[name], list) else []
                row[name] = [*held, constant] if chance.random() < 0.5 else held
        row |= {name: chance.choice(VALUES) for name in metric.dimensions}
        for name, wanted in metric.match.items():
            if chance.random() < 0.7 and not isinstance(wanted, Mapping):
                row[name] = wanted
        if metric.time_field:
            hours = timedelta(hours=chance.randrange(24 * 70), minutes=chance.randrange(60))
            row[metric.time_field] = chance.choice((*EDGES, EDGES[0] + hours, EDGES[0] - hours, EDGES[0] - hours))
        return row

    def mark(self, row: Mapping[str, Any]) -> None:
        """Say that a record changed, as a module does with the change."""
        mark_dirty(self.metric.name, row["area"], row.get(self.metric.time_field or ""))

    def add(self) -> None:
        """Store a new record."""
        row = self.record()
        atomically(lambda: (self.rows.insert_one(row), self.mark(row)))
        self.known.append(row)

    def repeat(self) -> None:
        """Deliver a record once more: it is refused, and nothing may count twice."""
        row = self.chance.choice(self.known)
        with pytest.raises(DuplicateKeyError):
            self.rows.insert_one(dict(row))
        atomically(lambda: self.mark(row))

    def correct(self) -> None:
        """Change a record: what it is, where it was, and when."""
        place = self.chance.randrange(len(self.known))
        old = self.known[place]
        new = {**self.record(), "_id": old["_id"]}
        if self.chance.random() < 0.5:
            new["area"] = old["area"]
        atomically(lambda: (self.rows.replace_one({"_id": old["_id"]}, new), self.mark(old), self.mark(new)))
        self.known[place] = new

    def delete(self) -> None:
        """Forget a record."""
        row = self.known.pop(self.chance.randrange(len(self.known)))
        atomically(lambda: (self.rows.delete_one({"_id": row["_id"]}), self.mark(row)))

    def live(self) -> None:
        """Let one thing happen."""
        happens = self.chance.choices((self.add, self.repeat, self.correct, self.delete), (6, 1, 3, 2))[0]
        (happens if self.known else self.add)()


def test_every_registered_figure_equals_its_records(district: District, platform_app: Any) -> None:
    registered = platform_app.extensions["registry"].metrics
    assert len(registered) > 10
    # The same declarations over collections of their own, where no rule of a module stands in the way.
    scratch = [replace(each, collection=f"exact_{each.name.replace('.', '_')}") for each in registered]
    try:
        rollups.install(scratch)
        recompute_dirty()
        histories = [History(metric, random.Random(seed)) for seed, metric in enumerate(scratch)]
        for step in range(STEPS):
            for history in histories:
                history.live()
            if step % 10 == 9:
                recompute_dirty()
        assert database()["rollup_marks"].count_documents({}) == 0
        for metric in scratch:
            assert assert_exact(metric) > 0, metric.name
    finally:
        rollups.install(registered)
