"""What rules may match: events of other modules by name, with the facts that each brings, and what staff enter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MANUAL = "manual"


@dataclass(frozen=True)
class Fact:
    """Something that a condition may ask of an event; `choices` are the values that are known, with their titles."""

    title: str
    kind: Literal["text", "flag", "number"] = "text"
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where evidence lies: `permission` opens `address`; `subject` with `verbs` names those in the trail who judged."""

    title: str
    permission: str = ""
    address: str = ""
    subject: str = ""
    verbs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """An event that may give points: `source` is the kind of record it tells of, `key` its id in the payload."""

    title: str
    source: str
    key: tuple[str, ...]
    facts: Mapping[str, Fact]


VIOLATIONS = {
    "mixed_waste": "混投垃圾",
    "waste_on_ground": "垃圾落地",
    "bag_not_broken": "未破袋投放",
    "overtime": "误时投放",
    "bulky_dumped": "偷倒大件或装修垃圾",
    "overflow": "满溢",
    "other": "其他违规",
}
RESULTS = {"closed": "结案", "forced_closed": "强制结案", "dismissed": "不予立案"}

SOURCES: Mapping[str, Source] = {
    "case": Source(
        title="取证案件",
        permission="evidence:review",
        address="/evidence/review#{case}",
        subject="evidence.case",
        verbs=("confirm", "propose_penalty", "countersign"),
    ),
    "finding": Source(title="巡检发现", permission="alerts:patrol_view", address="/alerts/patrol/rounds#{round}"),
    "round": Source(title="巡检报告", permission="alerts:patrol_view", address="/alerts/patrol/rounds#{round}"),
    "order": Source(
        title="派单",
        permission="dispatch:view",
        address="/dispatch/orders#{order}",
        subject="dispatch.order",
        verbs=("close", "force_close"),
    ),
    MANUAL: Source(title="人工检查"),
}
TRIGGERS: Mapping[str, Trigger] = {
    "evidence.case_confirmed": Trigger(
        title="取证案件确认",
        source="case",
        key=("case",),
        facts={"violation": Fact("违规类型", choices=VIOLATIONS), "penalty": Fact("建议处罚", "flag")},
    ),
    "patrol.finding": Trigger(
        title="巡检发现问题",
        source="finding",
        key=("check_in", "item"),
        facts={
            "item": Fact("检查项编码"),
            "points": Fact("检查项分值", "number"),
            "outcome": Fact("打卡是否可信", choices={"taken": "有效", "suspicious": "存疑"}),
        },
    ),
    "patrol.round_finished": Trigger(
        title="巡检完成",
        source="round",
        key=("round",),
        facts={
            "result": Fact("巡检结果", choices={"finished": "已完成", "partial": "未走完", "missed": "漏检"}),
            "findings": Fact("发现问题数", "number"),
            "flagged": Fact("存疑打卡数", "number"),
        },
    ),
    "work_order.closed": Trigger(
        title="派单办结",
        source="order",
        key=("order",),
        facts={
            "result": Fact("办结方式", choices=RESULTS),
            "kind": Fact("类型编码"),
            "source": Fact("派单来源"),
            "on_time": Fact("按期处置", "flag"),
            "rework": Fact("返工次数", "number"),
            "own_company": Fact("由本小区物业处置", "flag"),
        },
    ),
    MANUAL: Trigger(title="人工检查", source=MANUAL, key=(), facts={}),
}
#: What takes back whatever its record has given: the event, and the kind of record.
TAKES_BACK = {
    "evidence.case_reopened": "case",
    "evidence.case_rejected": "case",
    "work_order.reopened": "order",
}


def matches(conditions: list[Mapping[str, Any]], facts: Mapping[str, Any]) -> bool:
    """Tell whether facts fulfil every condition; what an event does not say fulfils none."""
    return all(fulfils(each, facts.get(each["fact"])) for each in conditions)


def fulfils(condition: Mapping[str, Any], value: Any) -> bool:
    """Tell whether one fact is among `any_of`, or a number that is `at_least` so much."""
    if "at_least" in condition:
        return isinstance(value, int | float) and not isinstance(value, bool) and value >= condition["at_least"]
    # In JSON true is not 1.
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in condition["any_of"])
