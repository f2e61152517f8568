"""What a metric is, and how its sums and the marks of what changed are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mongoengine import DateTimeField, DictField, Document, ListField, StringField

#: Levels of the area tree; the depth of a path is the place here, counted from one.
LEVELS = ("district", "street", "community", "compound")
#: Spans of time that are summed, from short to long. A metric has those from its own bucket on, so that a year is read
#: as twelve sums and not as thousands.
SPANS = ("hour", "day", "month")
#: How a measure's values may be put together again when several buckets are read.
OPERATORS = ("$sum", "$min", "$max")
#: Counts how the stored sums are laid out; another number has all of them computed anew.
LAYOUT = 4


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A figure summed ahead of time: `measures` of the records of `collection` that fulfil `match`.

    There is one sum for each time bucket (and each day and month of Asia/Shanghai), area of each of `levels`, and
    combination of `dimensions`, which are fields that hold no arrays. `measures` are accumulators as `$group` takes
    them, with `$sum`, `$min` or `$max`; for a mean take a sum and a count. `unit` such as 个 or kg. Raises ValueError
    when the record cannot be right.
    """

    name: str
    title: str
    collection: str | type[Document]
    unit: str = "个"
    time_field: str | None = None
    bucket: Literal["hour", "day", "none"] = "none"
    levels: tuple[str, ...] = LEVELS
    dimensions: tuple[str, ...] = ()
    measures: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"count": {"$sum": 1}})
    match: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.bucket == "none") != (self.time_field is None):
            raise ValueError(f"Metric {self.name}: time_field and bucket belong together.")
        if self.bucket not in ("hour", "day", "none"):
            raise ValueError(f"Metric {self.name}: there is no bucket {self.bucket}.")
        if not self.levels or not set(self.levels) <= set(LEVELS):
            raise ValueError(f"Metric {self.name}: levels must be some of {', '.join(LEVELS)}.")
        for name, measure in self.measures.items():
            if not name.isidentifier() or name == "by":
                raise ValueError(f"Metric {self.name}: {name!r} cannot be the name of a measure.")
            if len(measure) != 1 or not set(measure) <= set(OPERATORS):
                raise ValueError(f"Metric {self.name}: {name} must be one of {', '.join(OPERATORS)}.")

    @property
    def finest(self) -> str:
        """The lowest of its levels."""
        return max(self.levels, key=LEVELS.index)

    @property
    def spans(self) -> tuple[str, ...]:
        """The lengths of its sums, from its own bucket on; `none` alone where time plays no part."""
        return ("none",) if self.bucket == "none" else SPANS[SPANS.index(self.bucket) :]

    @property
    def source(self) -> str:
        """Name of the collection that it counts."""
        return self.collection if isinstance(self.collection, str) else self.collection._get_collection_name()

    def digest(self) -> str:
        """Return a fingerprint of what is computed, to notice that stored sums are of an older declaration."""
        parts = [LAYOUT, self.source, self.time_field, self.bucket, sorted(self.levels), self.dimensions]
        text = json.dumps([*parts, self.measures, self.match], default=str, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def depth(area: str) -> int:
    """Return on which level a path lies, counted from one."""
    return area.count("/") + 1


def cut(area: str, level: str) -> str:
    """Return the part of a path down to `level`; a shorter path stays as it is."""
    return "/".join(area.split("/")[: LEVELS.index(level) + 1])


class Mark(Document):
    """Something changed for a metric in some areas, in the hour `at`. Marks are only added: writers never collide."""

    meta = {"collection": "rollup_marks", "auto_create_index": False, "indexes": ["metric"]}

    metric = StringField(required=True)
    areas = ListField(StringField(), required=True)
    at = DateTimeField()


class Rollup(Document):
    """The sums of one area in one span of time that begins at `at`.

    `rows` is a table by column: 0, 1 … hold the values of the dimensions, the others the measures by name; `total` has
    the measures of all rows together, so that what needs no dimension costs the same however many values one has.
    `district` is where its area begins: one range, that of time, is left for what is read of many areas. `token` is
    that of the latest recomputation that began; only its result may be written.
    """

    meta = {
        "collection": "rollups",
        "auto_create_index": False,
        "indexes": [("metric", "level", "span", "area", "at"), ("metric", "level", "span", "district", "at")],
    }

    id = StringField(primary_key=True)
    metric = StringField(required=True)
    level = StringField(required=True)
    span = StringField(required=True)
    district = StringField(required=True)
    area = StringField(required=True)
    at = DateTimeField()
    token = StringField(required=True)
    rows = DictField()
    total = DictField()


class Definition(Document):
    """Which declaration of a metric the stored sums belong to."""

    meta = {"collection": "rollup_definitions", "auto_create_index": False}

    id = StringField(primary_key=True)
    digest = StringField(required=True)
