"""Whether a check-in can be believed: a function of what the phone said and what is known, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from plugins.alerts.patrol.distances import Place, metres_between, speed_kmh, tolerance

#: Within so much of its window a check-in still counts for the round.
GRACE = timedelta(minutes=15)
#: A phone reads its clock twice, for the check-in and when it sends; the second cannot be earlier by more than this.
SLACK = timedelta(seconds=60)
#: A worse fix proves nothing by itself.
WORST_ACCURACY_METRES = 200.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a district's operator allows."""

    offline: timedelta
    clock: timedelta
    dwell: timedelta
    speed_kmh: float


@dataclass(frozen=True, kw_only=True)
class Spot:
    """The point that is to be visited, and when."""

    place: Place
    radius: float
    code_required: bool
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a phone says: times by its own clock, `sent_at` when it sent this; `code` is right, old, wrong or none."""

    at: datetime
    until: datetime
    sent_at: datetime
    received_at: datetime
    place: Place | None = None
    accuracy: float | None = None
    mock: bool = False
    code: str = "none"

    @property
    def offset(self) -> timedelta:
        """How far the phone's clock is behind the platform's."""
        return self.received_at - self.sent_at

    @property
    def true_at(self) -> datetime:
        """When it was by the platform's clock."""
        return self.at + self.offset

    @property
    def true_until(self) -> datetime:
        """When the point was left by the platform's clock."""
        return self.until + self.offset


@dataclass(frozen=True, kw_only=True)
class Before:
    """The check-in of the same person before this one: where it was and when the point was left."""

    place: Place
    accuracy: float | None
    left: datetime
    point: str


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is made of a claim: refused for a problem code with its Chinese sentence, or taken with its flags."""

    refused: str = ""
    sentence: str = ""
    flags: tuple[str, ...] = ()
    distance: float | None = None
    speed: float | None = None


def judge(claim: Claim, spot: Spot, limits: Limits, before: Before | None = None, point: str = "") -> Judged:
    """Judge a check-in: what cannot be true is refused, what is doubtful is taken with flags."""
    distance = metres_between(claim.place, spot.place) if claim.place else None
    if refused := refusal(claim, spot, distance):
        return Judged(refused=refused[0], sentence=refused[1], distance=distance)
    speed = speed_since(claim, spot, before, point)
    doubts = {
        "late_upload": claim.received_at - claim.true_at > limits.offline,
        "clock_off": abs(claim.offset) > limits.clock,
        "poor_accuracy": claim.place is not None and (claim.accuracy or 0.0) > WORST_ACCURACY_METRES,
        "no_location": claim.place is None,
        "no_code": spot.code_required and claim.code == "none",
        "old_code": claim.code == "old",
        "too_fast": speed is not None and speed > limits.speed_kmh,
        "short_dwell": claim.until - claim.at < limits.dwell,
    }
    return Judged(flags=tuple(name for name, so in doubts.items() if so), distance=distance, speed=speed)


def refusal(claim: Claim, spot: Spot, distance: float | None) -> tuple[str, str] | None:
    """Return why a check-in cannot be true, or None."""
    if claim.at - claim.sent_at > SLACK or claim.until - claim.sent_at > SLACK or claim.until < claim.at:
        return "patrol_from_future", ""
    if not spot.starts_at - GRACE <= claim.true_at <= spot.ends_at + GRACE:
        return "patrol_window_closed", ""
    if claim.mock:
        return "patrol_mock_location", ""
    if claim.code == "wrong":
        return "patrol_wrong_code", ""
    if distance is None:
        # A code that only hangs there is a proof as well, if a weaker one.
        return None if claim.code == "right" else ("patrol_place_unproven", "")
    if distance > spot.radius + tolerance(claim.accuracy):
        return "patrol_too_far", f"距点位约 {round(distance)} 米，须在 {round(spot.radius)} 米以内打卡。"
    return None


def speed_since(claim: Claim, spot: Spot, before: Before | None, point: str) -> float | None:
    """Return how fast one must have gone from the check-in before, in km/h; None where that says nothing."""
    if before is None or before.point == point:
        return None
    here = claim.place or spot.place
    allowed = tolerance(claim.accuracy) + tolerance(before.accuracy)
    return speed_kmh(metres_between(before.place, here) - allowed, before.left, claim.true_at)
