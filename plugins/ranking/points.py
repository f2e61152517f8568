"""Points as they are counted: whole hundredths, so that sums are exact; people read and write 0.2."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError, fields, validate

from backend.plugin_api import LOCAL_ZONE

HUNDRED = 100
MOST = 100 * HUNDRED
#: Permissions of this module.
VIEW, EXPORT, ENTER, APPEAL = "ranking:view", "ranking:export", "ranking:enter", "ranking:appeal"
DECIDE, EDIT = "ranking:decide", "ranking:edit"

AREA = validate.Regexp(r"^[0-9A-Za-z/]{1,200}\Z", error="区域路径有误。")
CODE = validate.Regexp(r"^[0-9A-Za-z_-]{1,32}\Z", error="编码有误。")
MONTH = validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z", error="月份应为 2026-11 的形式。")


class Points(fields.Float):
    """Points as people write them, with at most two decimals; hundredths inside."""

    def __init__(self, low: int = -MOST, high: int = MOST, **options: Any) -> None:
        self.low, self.high = low, high
        limits = {"minimum": low / HUNDRED, "maximum": high / HUNDRED}
        super().__init__(**{**options, "metadata": {**limits, **options.get("metadata", {})}})

    def _deserialize(self, value: Any, *args: Any, **options: Any) -> int:
        exact = (super()._deserialize(value, *args, **options) or 0) * HUNDRED
        if not self.low <= exact <= self.high:
            raise ValidationError(f"应为 {self.low / HUNDRED:g} 至 {self.high / HUNDRED:g}。")
        if abs(exact - round(exact)) > 1e-6:
            raise ValidationError("至多两位小数。")
        return round(exact)

    def _serialize(self, value: Any, *args: Any, **options: Any) -> float | None:
        return None if value is None else value / HUNDRED


def words(hundredths: int) -> str:
    """Return points as people read them."""
    return f"{hundredths / HUNDRED:g}"


def local_day(at: datetime) -> str:
    """Return the day in Shanghai, such as 2026-11-22."""
    return f"{at.astimezone(LOCAL_ZONE):%Y-%m-%d}"


def month_of(month: str) -> tuple[datetime, datetime]:
    """Return when a month such as 2026-11 begins and when the next one does, in Shanghai."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=LOCAL_ZONE)
    return first, (first + timedelta(days=32)).replace(day=1)
