"""What holds for any distance, window and claim, whatever a phone says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import cos, inf, pi, radians

from hypothesis import given
from hypothesis import strategies as st

from plugins.alerts.patrol.distances import EARTH_METRES, MOST_TOLERANCE_METRES, metres_between, speed_kmh
from plugins.alerts.patrol.judging import GRACE, SLACK, Before, Claim, Limits, Spot, judge
from plugins.alerts.patrol.vocabulary import FLAGS, WEEKDAYS
from plugins.alerts.patrol.windows import normal, overlapping, read_window, spans

PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
HERE = (120.1, 30.27)
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
LIMITS = Limits(offline=timedelta(hours=24), clock=timedelta(minutes=5), dwell=timedelta(seconds=20), speed_kmh=40)
SPOT = Spot(place=HERE, radius=60, code_required=False, starts_at=NOON, ends_at=NOON + timedelta(hours=2))
SECONDS = st.floats(-200_000, 200_000).map(lambda each: timedelta(seconds=each))


def north(metres: float) -> tuple[float, float]:
    """Return the place so far north of here."""
    return HERE[0], HERE[1] + metres / (pi * EARTH_METRES / 180)


@given(PLACES, PLACES, PLACES)
def test_distances_are_distances(one, two, three):
    assert metres_between(one, one) == 0
    assert metres_between(one, two) == metres_between(two, one)
    assert 0 <= metres_between(one, two) <= pi * EARTH_METRES + 1
    assert metres_between(one, three) <= metres_between(one, two) + metres_between(two, three) + 1e-3


@given(st.floats(-80, 80), st.floats(0.0001, 0.01))
def test_small_distances_are_those_of_a_flat_map(lat, step):
    metre = EARTH_METRES * radians(step)
    assert abs(metres_between((10, lat), (10, lat + step)) - metre) < 1e-3 * metre + 1e-3
    assert abs(metres_between((10, lat), (10 + step, lat)) - metre * cos(radians(lat))) < 1e-3 * metre + 1e-3


def test_known_distances():
    assert round(metres_between((0, 0), (0, 1))) == 111_195  # a degree of the meridian of this sphere
    assert round(metres_between((0, 0), (180, 0)) / 1000) == 20_015


@given(st.floats(0, 1e6), st.floats(-1e5, 1e5))
def test_speed_is_way_by_time(metres, seconds):
    speed = speed_kmh(metres, NOON, NOON + timedelta(seconds=seconds))
    took = timedelta(seconds=seconds).total_seconds()
    expected = 0 if metres == 0 else inf if took <= 0 else metres / took * 3.6
    assert speed == expected


@given(st.floats(0, 5000), st.floats(0, 1e6), st.sampled_from(["none", "right", "old"]))
def test_nobody_checks_in_from_afar_whatever_the_accuracy(metres, accuracy, code):
    claim = claimed(place=north(metres), accuracy=accuracy, code=code)
    judged = judge(claim, SPOT, LIMITS)
    allowed = SPOT.radius + min(accuracy, MOST_TOLERANCE_METRES)
    assert bool(judged.refused) == (judged.distance > allowed)
    assert abs(judged.distance - metres) < 0.01
    if judged.refused:
        assert judged.refused == "patrol_too_far" and judged.flags == ()
    assert set(judged.flags) <= set(FLAGS)


def claimed(
    *, at=NOON + timedelta(minutes=30), stay=timedelta(seconds=60), ago=timedelta(minutes=2), **values
) -> Claim:
    """Return a claim that a right clock makes, sent `ago` after it began."""
    told = {"place": HERE, "accuracy": 10.0, "sent_at": at + ago, "received_at": at + ago, **values}
    return Claim(at=at, until=at + stay, **told)


@given(SECONDS, SECONDS, SECONDS, SECONDS)
def test_a_check_in_counts_in_its_window_by_the_platforms_clock_alone(at, stay, ago, ahead):
    """However wrong the phone's clock is: it is put right, and what is odd is told."""
    start = NOON + at
    claim = claimed(at=start + ahead, stay=stay, sent_at=start + ago + ahead, received_at=start + ago)
    judged = judge(claim, SPOT, LIMITS)
    possible = ago >= -SLACK and stay >= timedelta(0) and ago - stay >= -SLACK
    inside = SPOT.starts_at - GRACE <= start <= SPOT.ends_at + GRACE
    assert judged.refused == (
        "" if possible and inside else "patrol_window_closed" if possible else "patrol_from_future"
    )
    if not judged.refused:
        assert claim.true_at == start
        assert ("clock_off" in judged.flags) == (abs(ahead) > LIMITS.clock)
        assert ("late_upload" in judged.flags) == (ago > LIMITS.offline)
        assert ("short_dwell" in judged.flags) == (stay < LIMITS.dwell)


@given(st.floats(0, 20_000), st.floats(-600, 7200), st.floats(0, 500), st.booleans())
def test_who_went_faster_than_one_can_is_flagged(metres, seconds, accuracy, same):
    left = NOON + timedelta(minutes=30) - timedelta(seconds=seconds)
    before = Before(place=north(metres), accuracy=accuracy, left=left, point="T1")
    judged = judge(claimed(), SPOT, LIMITS, before, "T1" if same else "T2")
    way = metres_between(north(metres), HERE) - 10 - min(accuracy, MOST_TOLERANCE_METRES)
    hurried = not same and speed_kmh(way, left, NOON + timedelta(minutes=30)) > LIMITS.speed_kmh
    assert ("too_fast" in judged.flags) == hurried


@given(st.integers(0, 1440), st.integers(0, 1440))
def test_windows_are_read_as_they_are_written(start, end):
    text = f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    window = read_window(text)
    assert (window is not None) == (start < 1440 and end - start >= 10)
    if window:
        assert window == (start, end) and normal(window) == text
        assert read_window(text.replace(":", "：").replace("-", "至")) == window


@given(st.text("0123456789:：-至~ ", max_size=14))
def test_no_text_is_a_window_by_chance(text):
    window = read_window(text)
    assert window is None or read_window(normal(window)) == window


@given(st.lists(st.tuples(st.integers(0, 1400), st.integers(10, 400)), max_size=5))
def test_windows_overlap_if_a_minute_is_in_two(drawn):
    windows = [(start, min(start + length, 1440)) for start, length in drawn]
    minutes = [minute for start, end in windows for minute in range(start, end)]
    assert overlapping(windows) == (len(minutes) > len(set(minutes)))


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.sets(st.sampled_from(list(WEEKDAYS))))
def test_windows_lie_in_their_day_of_shanghai(day, weekdays):
    found = spans(day, sorted(weekdays), ["18:00-24:00", "07:00-09:00"])
    assert len(found) == (2 if list(WEEKDAYS)[day.weekday()] in weekdays else 0)
    for start, end in found:
        assert start < end and start.date() == day and start.utcoffset() == timedelta(hours=8)
        assert (end - timedelta(seconds=1)).date() == day
