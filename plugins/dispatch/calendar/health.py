"""Whether the holidays are known that limits of today may meet."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from backend.plugin_api import Health, HealthCheck, utcnow
from plugins.dispatch.calendar.keeping import calendar_from, unknown_soon
from plugins.dispatch.calendar.models import DutyYearRecord
from plugins.dispatch.calendar.routes import AHEAD


def holidays_known() -> Health:
    """Say which years nobody has entered."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in DutyYearRecord._get_collection().find({}).batch_size(500):
        rows[row["area"]].append(row)
    now = utcnow()
    missing = sorted(
        {year for years in (rows.values() or [[]]) for year in unknown_soon(calendar_from(years), now, now + AHEAD)}
    )
    if missing:
        names = "、".join(f"{year} 年" for year in missing)
        return Health("warn", f"{names}的节假日尚未录入，时限暂按星期计算；请在工作日历中录入。")
    return Health("ok", "近期的节假日均已录入。")


CHECKS = (HealthCheck(name="dispatch.duty_calendar", title="工作日历", run=holidays_known),)
