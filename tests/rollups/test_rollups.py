"""Figures equal a count of the records themselves, whatever happened to the records."""

from __future__ import annotations

import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend import rollups
from backend.rollups import LEVELS, Metric, figures, figures_over, mark_dirty, mark_many, rebuild, recompute_dirty
from backend.rollups.buckets import pieces, start_of
from backend.rollups.records import SPANS
from backend.settings import Settings
from backend.storage import atomically, database, ensure_indexes

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
AREAS = ["33", "33/1", "33/1/5", "33/1/5/C1", "33/1/5/C2", "33/1/6/C3", "33/2/7/C4", "33/10/8/C5"]
DAILY = Metric(
    name="test.weight_daily",
    title="称重",
    unit="kg",
    collection="test_weighings",
    time_field="at",
    bucket="day",
    dimensions=("kind", "device.model"),
    measures={"count": {"$sum": 1}, "kg": {"$sum": "$kg"}, "most": {"$max": "$kg"}, "least": {"$min": "$kg"}},
    match={"valid": True},
)
HOURLY = Metric(
    name="test.weight_hourly",
    title="称重",
    collection="test_weighings",
    time_field="at",
    bucket="hour",
    levels=("street", "compound"),
)
NOW = Metric(
    name="test.weighings", title="称重数", collection="test_weighings", dimensions=("kind",), levels=("district",)
)
METRICS = (DAILY, HOURLY, NOW)


@pytest.fixture(autouse=True)
def _clean(clean: Settings) -> None:
    ensure_indexes(rollups.DOCUMENTS)
    rollups.install(METRICS)


def weigh(area: str = "33/1/5/C1", at: datetime = NOON, **values: Any) -> ObjectId:
    row = {"_id": ObjectId(), "area": area, "at": at, "kg": 1, "valid": True, "kind": "food", **values}

    def write() -> None:
        raw().insert_one(row)
        mark(row)

    atomically(write)
    return row["_id"]


def mark(row: dict[str, Any]) -> None:
    for metric in METRICS:
        mark_dirty(metric.name, row["area"], row["at"])


def raw() -> Any:
    return database()["test_weighings"]


def test_a_panel_reads_the_figures_of_its_area() -> None:
    weigh("33/1/5/C1", kg=2)
    weigh("33/1/5/C2", kg=3, kind="residual")
    weigh("33/2/7/C4", kg=5)
    weigh("33/2/7/C4", kg=7, valid=False)
    assert recompute_dirty() > 0
    assert recompute_dirty() == 0
    whole = figures(DAILY.name, area="33")
    assert (whole.total(), whole.total("kg")) == (3, 10)
    assert figures(DAILY.name, area="33/1").measures["most"].tolist() == [3]
    assert figures(DAILY.name, area="33/1/5/C1").total("kg") == 2
    assert figures(DAILY.name, area="33/9").total() == 0
    by_kind = figures(DAILY.name, area="33", by=["kind"])
    assert by_kind.keys == [("food",), ("residual",)]
    assert by_kind.measures["kg"].tolist() == [7, 3]
    assert by_kind.measures["kg"].dtype == np.int64
    by_street = figures(DAILY.name, area="33", level="street", by=["area", "kind"])
    assert by_street.keys == [("33/1", "food"), ("33/1", "residual"), ("33/2", "food")]
    assert by_street.column("area") == ["33/1", "33/1", "33/2"]
    assert figures(DAILY.name, area="33", where={"kind": "residual"}).total("kg") == 3
    assert figures(NOW.name).total() == 4


def test_a_scope_leaves_out_what_lies_outside_even_below_the_level() -> None:
    for area in ("33/1/5/C1", "33/1/5/C2", "33/1/6/C3", "33/2/7/C4", "33/10/8/C5"):
        weigh(area)
    recompute_dirty()
    without_c2 = {"$or": [{"area": {"$gte": "33/1", "$lt": "33/1/5/C2"}}, {"area": {"$gte": "33/1/6", "$lt": "33/10"}}]}
    by_street = figures(DAILY.name, scope=without_c2, level="street", by=["area"])
    assert dict(zip(by_street.column("area"), by_street.measures["count"].tolist(), strict=True)) == {"33/1": 2}
    whole_street = {"area": {"$gte": "33/1", "$lt": "33/10"}}
    assert figures(DAILY.name, scope=whole_street).total() == 3
    assert figures(DAILY.name, scope=whole_street, area="33/1/5").total() == 2
    assert figures(DAILY.name, scope=whole_street, area="33").total() == 3
    assert figures(DAILY.name, scope={"_id": {"$in": []}}).total() == 0


def test_days_are_those_of_shanghai_and_gaps_are_zero() -> None:
    weigh(at=datetime(2026, 11, 21, 15, 59, tzinfo=UTC))
    weigh(at=datetime(2026, 11, 21, 16, 0, tzinfo=UTC))
    weigh(at=datetime(2026, 11, 23, 15, 59, tzinfo=UTC))
    recompute_dirty()
    since = datetime(2026, 11, 21, 10, tzinfo=SHANGHAI)
    days = rollups.bucket_starts(DAILY.name, since, since + timedelta(days=3))
    assert [day.astimezone(SHANGHAI).day for day in days] == [21, 22, 23, 24]
    assert all(day.astimezone(SHANGHAI).hour == 0 for day in days)
    daily = figures(DAILY.name, area="33", since=since, until=since + timedelta(days=3), by=["at"])
    assert daily.along(days).tolist() == [1, 1, 1, 0]
    assert figures(DAILY.name, area="33", since=days[1], until=days[2]).total() == 1
    hours = figures(HOURLY.name, area="33", by=["at"])
    assert hours.column("at")[0] == datetime(2026, 11, 21, 15, tzinfo=UTC)


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(timedelta(hours=1), timedelta(days=900)),
)
def test_a_time_is_made_of_few_pieces_without_gap_or_overlap(since: datetime, length: timedelta) -> None:
    until = since + length
    found = pieces(SPANS, since, until)
    assert len(found) <= 5
    assert found[0][1] == since.replace(minute=0, second=0, microsecond=0)
    assert found[-1][2] == until
    for (_, _, end), (_, start, _) in pairwise(found):
        assert end == start
    for span, start, end in found:
        if span != "hour":
            assert (start_of(span, start), start_of(span, end)) == (start, end)
    assert sum((end - start).days < 62 for _, start, end in found) >= len(found) - 1


def test_marks_are_set_with_the_write_or_not_at_all() -> None:
    with pytest.raises(RuntimeError, match="inside atomically"):
        mark_dirty(DAILY.name, "33", NOON)

    def fails() -> None:
        mark_dirty(DAILY.name, "33", NOON)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        atomically(fails)
    atomically(lambda: mark_many(DAILY.name, [("33/1", NOON), ("33/1", NOON + timedelta(minutes=5)), ("33/2", NOON)]))
    [mark] = database()["rollup_marks"].find({}, {"_id": 0})
    assert sorted(mark.pop("areas")) == ["33/1", "33/2"], "a bulk of equal marks is stored once"
    assert mark == {"metric": DAILY.name, "at": NOON.replace(minute=0)}


def test_a_metric_that_is_new_or_declared_anew_is_computed_from_what_is_there() -> None:
    raw().insert_many([{"area": area, "at": NOON, "kg": 2, "valid": True, "kind": "food"} for area in AREAS])
    recompute_dirty()
    assert figures(DAILY.name, area="33").total() == len(AREAS)
    changed = Metric(
        name=DAILY.name, title="新", collection="test_weighings", time_field="at", bucket="hour", levels=("district",)
    )
    rollups.install([changed])
    recompute_dirty()
    assert figures(DAILY.name, area="33", by=["at"]).keys == [(NOON,)]
    raw().delete_many({"area": "33"})
    rebuild(DAILY.name)
    recompute_dirty()
    assert figures(DAILY.name, area="33").total() == len(AREAS) - 1


def test_a_mark_left_from_a_declaration_without_time_stops_nothing() -> None:
    database()["rollup_marks"].insert_one({"metric": DAILY.name, "areas": ["33"], "at": None})
    weigh()
    recompute_dirty()
    assert figures(DAILY.name, area="33").total() == 1
    assert database()["rollup_marks"].count_documents({}) == 0


def test_a_metric_that_fails_is_counted_and_stops_no_other() -> None:
    bad = Metric(name="bad.metric", title="坏", collection="test_weighings", measures={"x": {"$sum": {"$nonsense": 1}}})
    rollups.install([bad, *METRICS])
    weigh()
    atomically(lambda: mark_dirty("bad.metric", "33"))
    recompute_dirty()
    assert figures(NOW.name).total() == 1
    assert database()["plugin_faults"].count_documents({"plugin": "bad"}) == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"bucket": "day"}, "belong together"),
        ({"time_field": "at", "bucket": "week"}, "no bucket week"),
        ({"levels": ("planet",)}, "levels must be some of"),
        ({"measures": {"mean": {"$avg": "$kg"}}}, "mean must be one of"),
        ({"measures": {"by": {"$sum": 1}}}, "'by' cannot be"),
    ],
)
def test_a_wrong_metric_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Metric(**{"name": "x", "title": "x", "collection": "x", **wrong})


def test_wrong_questions_are_refused() -> None:
    with pytest.raises(LookupError, match="no metric called nothing"):
        figures("nothing")
    with pytest.raises(ValueError, match="no dimension colour"):
        figures(DAILY.name, by=["colour"])
    with pytest.raises(ValueError, match="no step week"):
        figures(DAILY.name, by=["at"], step="week")
    with pytest.raises(ValueError, match="no level planet"):
        figures(DAILY.name, level="planet")
    with pytest.raises(ValueError, match="a mark of it needs one"):
        atomically(lambda: mark_dirty(DAILY.name, "33"))
    with pytest.raises(LookupError, match="no metric called nothing"):
        atomically(lambda: mark_dirty("nothing", "33"))
    with pytest.raises(ValueError, match="not counted by time"):
        figures(NOW.name, since=NOON)


#: Records lie in the last three days before NOON; the windows cut them by hours and days, overlap, and are open.
WINDOWS = [
    (None, None),
    (NOON - timedelta(hours=50), NOON - timedelta(hours=3)),
    (NOON - timedelta(hours=20), NOON + timedelta(days=40)),
    (NOON - timedelta(days=400), NOON - timedelta(hours=9)),
    (None, NOON - timedelta(hours=30)),
    (NOON, None),
]
DAYS = [datetime(2026, 11, day, tzinfo=SHANGHAI) for day in (19, 20, 21, 22, 23)]
MONTHS = [datetime(2026, month, 1, tzinfo=SHANGHAI) for month in (10, 11)]

RECORDS = st.fixed_dictionaries(
    {
        "area": st.sampled_from(AREAS),
        "at": st.integers(0, 72).map(lambda hours: NOON - timedelta(hours=hours, minutes=7)),
        "kg": st.one_of(st.integers(-3, 9), st.sampled_from([0.5, 2.25])),
        "valid": st.booleans(),
        "kind": st.sampled_from(["food", "residual", None]),
        "device": st.sampled_from([{"model": "m1"}, {"model": "m2"}, {}]),
    }
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), RECORDS),
        st.tuples(st.just("change"), st.integers(0, 30), RECORDS),
        st.tuples(st.just("delete"), st.integers(0, 30)),
        st.tuples(st.just("recompute")),
    ),
    max_size=25,
)


@hypothesis_settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_after_any_history_the_figures_equal_the_records(steps: list[tuple[Any, ...]]) -> None:
    for name in ("test_weighings", "rollups", "rollup_marks", "rollup_definitions"):
        database()[name].delete_many({})
    rows: list[dict[str, Any]] = []
    for step in steps:
        if step[0] == "insert":
            rows.append({"_id": ObjectId(), **step[1]})
            atomically(lambda: (raw().insert_one(rows[-1]), mark(rows[-1])))
        elif step[0] == "recompute":
            recompute_dirty()
        elif rows:
            place = step[1] % len(rows)
            old = rows.pop(place)
            if step[0] == "delete":
                atomically(lambda old=old: (raw().delete_one({"_id": old["_id"]}), mark(old)))
            else:
                new = {"_id": old["_id"], **step[2]}
                rows.append(new)
                atomically(lambda old=old, new=new: (raw().replace_one({"_id": old["_id"]}, new), mark(old), mark(new)))
    recompute_dirty()
    check_against(rows)


def check_against(rows: list[dict[str, Any]]) -> None:
    """Compare all figures of DAILY with a count by hand."""
    for number, level in enumerate(LEVELS, start=1):
        expected: dict[tuple[Any, ...], list[float]] = defaultdict(list)
        for row in rows:
            if row["valid"]:
                day = row["at"].astimezone(SHANGHAI).replace(hour=0, minute=0)
                area = "/".join(row["area"].split("/")[:number])
                expected[day, area, row["kind"], row.get("device", {}).get("model")].append(row["kg"])
        got = figures(DAILY.name, level=level, by=["at", "area", "kind", "device.model"])
        assert dict(zip(got.keys, got.measures["count"].tolist(), strict=True)) == {
            key: len(values) for key, values in expected.items()
        }
        for name, combine in (("kg", sum), ("most", max), ("least", min)):
            found = dict(zip(got.keys, got.measures[name].tolist(), strict=True))
            assert found == pytest.approx({key: combine(values) for key, values in expected.items()})
    assert figures(NOW.name).total() == len(rows)
    hours = [row["at"].replace(minute=0) for row in rows]
    found = figures_over(HOURLY.name, WINDOWS)
    expected_counts = [
        sum((since is None or since <= hour) and (until is None or hour < until) for hour in hours)
        for since, until in WINDOWS
    ]
    assert [each.total() for each in found] == expected_counts
    by_day = figures(HOURLY.name, by=["at"], step="day")
    assert by_day.along(DAYS).tolist() == [sum(DAYS[n] <= h < DAYS[n + 1] for h in hours) for n in range(4)] + [0]
    by_month = figures(HOURLY.name, by=["at"], step="month")
    assert sum(by_month.along(MONTHS).tolist()) == len(rows)
    assert database()["rollup_marks"].count_documents({}) == 0


def test_changes_during_recomputation_are_not_lost() -> None:
    recompute_dirty()
    writing = threading.Event()
    writing.set()
    problems: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for step in range(25):
                weigh(AREAS[(number + step) % len(AREAS)], NOON - timedelta(hours=step % 5), kg=step)
        except BaseException as error:
            problems.append(error)

    def recompute() -> None:
        try:
            while writing.is_set():
                recompute_dirty()
        except BaseException as error:
            problems.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    readers = [threading.Thread(target=recompute) for _ in range(2)]
    for thread in writers + readers:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in readers:
        thread.join()
    recompute_dirty()
    assert problems == []
    assert database()["plugin_faults"].count_documents({}) == 0
    check_against(list(raw().find()))


def test_what_was_computed_from_an_older_reading_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    recompute_dirty()
    weigh()
    from backend.rollups import recompute

    original, calls = recompute._pipeline, []

    def overtaken(*arguments: Any) -> Any:
        if not calls:
            calls.append(1)
            pipeline = original(*arguments)
            weigh()
            recompute_dirty()
            # The outer recomputation read before: it sees only one record.
            return [{"$match": {"_id": raw().find_one()["_id"]}}, *pipeline]
        return original(*arguments)

    monkeypatch.setattr(recompute, "_pipeline", overtaken)
    recompute_dirty()
    monkeypatch.undo()
    recompute_dirty()
    assert figures(DAILY.name, area="33").total() == 2
    assert database()["rollup_marks"].count_documents({}) == 0
