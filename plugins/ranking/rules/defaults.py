"""The rules that a district begins with; from then on they are its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

#: When the waste regulation of the province (浙江省生活垃圾管理条例) came into force.
SINCE = "2021-05-01"
CASE, ORDER, MANUAL = "evidence.case_confirmed", "work_order.closed", "manual"


def of(fact: str, *values: Any) -> dict[str, Any]:
    """Return the condition that a fact is one of some values."""
    return {"fact": fact, "any_of": list(values)}


#: Code, title, event, conditions, points, cap a day, cap a month; in hundredths.
_ROWS: tuple[tuple[str, str, str, list[dict[str, Any]], int, int, int], ...] = (
    ("Q01", "混投垃圾（已取证）", CASE, [of("violation", "mixed_waste")], -100, 300, 1000),
    ("Q02", "垃圾落地、满溢（已取证）", CASE, [of("violation", "waste_on_ground", "overflow")], -50, 200, 800),
    ("Q03", "未破袋投放（已取证）", CASE, [of("violation", "bag_not_broken")], -20, 100, 400),
    # Whether residents have to keep to the hours is left to local rules: persuasion first.
    ("Q04", "误时投放（已取证）", CASE, [of("violation", "overtime")], -20, 100, 400),
    ("Q05", "偷倒大件或装修垃圾（已取证）", CASE, [of("violation", "bulky_dumped")], -200, 400, 1000),
    ("Q06", "其他违规（已取证）", CASE, [of("violation", "other")], -50, 100, 400),
    # A check-in that is in doubt waits for a person: it costs nobody anything.
    ("X01", "巡检发现问题", "patrol.finding", [of("outcome", "taken")], -50, 500, 2000),
    ("X02", "巡检轮次漏检", "patrol.round_finished", [of("result", "missed")], -50, 50, 500),
    ("P01", "满溢、落地、乱堆查实", ORDER, [of("result", "closed"), of("kind", "E02", "E03", "E07", "E08", "E12")],
     -50, 100, 600),
    ("P02", "物业处置超期", ORDER, [of("own_company", True), of("on_time", False)], -50, 100, 500),
    ("P03", "物业处置返工", ORDER, [of("own_company", True), {"fact": "rework", "at_least": 1}], -50, 100, 500),
    ("M01", "宣传公示不到位", MANUAL, [], -100, 0, 300),
    ("M02", "分类设施不全、标识不清", MANUAL, [], -200, 400, 1000),
    ("M03", "桶站周边不洁、未及时封闭", MANUAL, [], -100, 200, 600),
    ("M04", "分类质量抽查不合格", MANUAL, [], -200, 400, 1500),
    ("M05", "集置点管理不规范", MANUAL, [], -200, 400, 1000),
    ("M06", "工作机制、台账不健全", MANUAL, [], -100, 0, 500),
    ("M09", "分类工作创新加分", MANUAL, [], 100, 0, 300),
)  # fmt: skip
#: Rules that are there but count for nothing until a district switches them on.
OFF = ("Q04", "X02")


def defaults() -> Iterator[dict[str, Any]]:
    """Yield the first edition of each rule."""
    for code, title, event, conditions, points, cap_day, cap_period in _ROWS:
        yield {
            "code": code,
            "edition": 1,
            "title": title,
            "event": event,
            "conditions": conditions,
            "points": points,
            "by_event": event == "patrol.finding",
            "cap_day": cap_day,
            "period": "month",
            "cap_period": cap_period,
            "appeal_days": 5,
            "active": code not in OFF,
            "effective_from": SINCE,
            "reason": "初始细则",
            "made_by": "",
            "made_name": "系统",
        }
