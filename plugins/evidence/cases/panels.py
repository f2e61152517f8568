"""What the cockpit shows of cases: what waits and for how long, what became of it, and that it can be proved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from backend.plugin_api import (
    LOCAL_ZONE,
    Bars,
    Figure,
    MapLayer,
    Metric,
    Panel,
    Point,
    Row,
    Rows,
    ScrubStatus,
    Tone,
    View,
    area_names,
    district_of,
    figures_in,
    scrub_status,
    utcnow,
)
from plugins.evidence.captures.models import VIOLATIONS
from plugins.evidence.captures.reading import picture_address
from plugins.evidence.cases.models import CASE_FLOW, REVIEW_LIMIT, Case
from plugins.evidence.custody.standing import ProofStatus, proof_status

#: What it is about, what is so, and how good that is.
Line = tuple[str, str, Tone]

THEME, VIEW, PROOF = "alerts", "evidence:view", "evidence:audit_ledger"
METRIC = "evidence.cases"
CONFIRMED = ("confirmed", "handed_over", "received")
#: What a month's cases became, in the order of a case's way; several states under one name.
OUTCOMES: Mapping[str, tuple[tuple[str, ...], Tone]] = {
    "待办": (("waiting", "countersigning"), "hint"),
    "已确认": (("confirmed",), "major"),
    "已移送": (("handed_over", "received"), "good"),
    "已排除": (("rejected",), "off"),
}
MOST_POINTS = 300
#: One more than the cockpit shows tells that there are more.
MOST_ROWS = 201
#: Cases that wait for people, by the key of the figure that counts them.
WAITING = {
    "waiting": ("waiting",),
    "countersigning": ("countersigning",),
    "longest": ("waiting", "countersigning"),
}

METRICS = [
    Metric(
        name=METRIC,
        title="案件数",
        unit="件",
        collection=Case,
        time_field="created_at",
        bucket="hour",
        dimensions=("violation", "state", "penalty"),
    )
]


def waits(view: View) -> tuple[Figure, ...]:
    """Return how many cases wait for whom, and for how long the oldest has; reads only what waits."""
    query = {"$and": [{"state": {"$in": ["waiting", "countersigning"]}}, dict(view.scope)]}
    grouped = {"_id": "$state", "count": {"$sum": 1}, "due_at": {"$min": "$due_at"}}
    found = {row["_id"]: row for row in Case._get_collection().aggregate([{"$match": query}, {"$group": grouped}])}
    counts = {state: row["count"] for state, row in found.items()}
    # A case is due a fixed time after it began to wait.
    waited = max((utcnow() - (row["due_at"] - REVIEW_LIMIT) for row in found.values()), default=timedelta())
    return (
        Figure("待复核", counts.get("waiting", 0), "件", "hint", key="waiting"),
        Figure("待会签", counts.get("countersigning", 0), "件", "hint", key="countersigning"),
        Figure(
            "最久等待",
            int(waited / timedelta(hours=1)),
            "小时",
            "critical" if waited > REVIEW_LIMIT else "good",
            key="longest",
        ),
    )


def by_kind(view: View) -> Bars:
    """Return the cases of the period by violation and outcome."""
    found = figures_in(METRIC, view, by=("violation", "state"))
    counts: dict[tuple[str, str], int] = {}
    for violation, state, count in zip(
        found.column("violation"), found.column("state"), found.measures["count"].tolist(), strict=True
    ):
        outcome = next((name for name, (states, _) in OUTCOMES.items() if state in states), None)
        if outcome:
            counts[violation, outcome] = counts.get((violation, outcome), 0) + count
    totals = {code: sum(n for (each, _), n in counts.items() if each == code) for code, _ in counts}
    kinds = sorted(totals, key=lambda code: (-totals[code], code))
    return Bars(
        labels=[VIOLATIONS.get(code, code) for code in kinds],
        series={name: np.array([counts.get((code, name), 0) for code in kinds]) for name in OUTCOMES},
        unit="件",
        horizontal=True,
        tones={name: tone for name, (_, tone) in OUTCOMES.items()},
        keys=kinds,
    )


def behind_kind(view: View, key: str) -> Rows:
    """Return the cases of a violation."""
    return listed(view, view.period.filter("created_at"), {"violation": key} if key else {})


def listed(view: View, *narrowed: Mapping[str, Any]) -> Rows:
    """Return the newest cases that fulfil all filters: masked pictures and nobody's name."""
    query = {"$and": [dict(view.scope), *(dict(each) for each in narrowed if each)]}
    found = Case._get_collection().find(query).sort([("_id", -1)]).limit(MOST_ROWS)
    rows = list(found.batch_size(MOST_ROWS + 1))
    names = area_names({row["area"] for row in rows})
    return Rows(
        columns=("案号", "首次时间", "违规", "点位", "所在区域", "状态"),
        rows=[
            Row(
                texts=(
                    row["number"],
                    row["first_at"].astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M"),
                    VIOLATIONS[row["violation"]],
                    row["point_name"],
                    names.get(row["area"], "—"),
                    CASE_FLOW.states[row["state"]] + ("（处罚）" if row.get("penalty") else ""),
                ),
                picture=picture_of(row),
                place=place_of(row),
                tone="major" if row["state"] in CONFIRMED else "plain",
                key=str(row["_id"]),
            )
            for row in rows
        ],
    )


def where_confirmed(view: View) -> list[Point]:
    """Return the confirmed cases of the period on the map."""
    return [
        Point(
            key=str(row["_id"]),
            lon=place[0],
            lat=place[1],
            label=VIOLATIONS[row["violation"]],
            kind="已确认",
            tone="major",
            picture=picture_of(row),
            details=(
                ("案号", row["number"]),
                ("点位", row["point_name"]),
                ("时间", local_time(row["first_at"])),
                ("状态", CASE_FLOW.states[row["state"]] + ("（处罚）" if row.get("penalty") else "")),
            ),
            at=row["first_at"],
        )
        for row in confirmed(view, MOST_POINTS)
        if (place := place_of(row))
    ]


def confirmed(view: View, limit: int) -> list[dict[str, Any]]:
    """Return the newest confirmed cases of the period."""
    query = {"state": {"$in": CONFIRMED}, **view.period.filter("created_at")}
    return list(Case._get_collection().find({"$and": [dict(view.scope), query]}).sort([("_id", -1)]).limit(limit))


def proof(view: View) -> Rows:
    """Return how the district's proofs stand: ledger, roots, time stamps, and the originals as they lie."""
    lines: list[Line] = []
    if view.area:
        status = proof_status(district_of(view.area))
        lines = [*of_ledger(status), of_stamps(status), of_originals(scrub_status())]
    rows = [Row(texts=(name, words), tone=tone, key=name) for name, words, tone in lines]
    return Rows(columns=("项目", "情况"), rows=rows)


def of_ledger(status: ProofStatus) -> list[Line]:
    """Return how many entries there are, when the last root was made, and what the last verification found."""
    root, check = status.last_root, status.verification
    lines: list[Line] = [("存证账本", f"{status.entries} 条，待入链 {status.waiting} 条", "good")]
    if root:
        lines.append(("最近固证根", f"第 {root.number} 个，{local_time(root.at)}", "good"))
    else:
        lines.append(("最近固证根", "尚未生成", "hint"))
    if check is None:
        lines.append(("账本核验", "尚未核验，每晚进行", "hint"))
    elif check.get("fault"):
        lines.append(("账本核验", "发现异常，请查看", "critical"))
    else:
        lines.append(("账本核验", "完整，未被改动", "good"))
    return lines


def of_stamps(status: ProofStatus) -> Line:
    """Return when the last time stamp was given."""
    if not status.authority:
        return "时间戳", "未配置时间戳机构", "off"
    if status.stamps_failed:
        return "时间戳", f"{status.stamps_failed} 个未能取得", "major"
    if status.last_stamp is None:
        return "时间戳", f"等待 {status.stamps_waiting} 个" if status.stamps_waiting else "尚未取得", "hint"
    return "时间戳", local_time(status.last_stamp.at) if status.last_stamp.at else "已取得", "good"


def of_originals(kept: ScrubStatus) -> Line:
    """Return what reading the stored originals found."""
    if kept.rotten_count:
        return "原件巡检", f"{kept.rotten_count} 个文件损坏", "critical"
    if kept.finished_at:
        return "原件巡检", f"{local_time(kept.finished_at)} 全部完好", "good"
    return "原件巡检", f"已检查 {kept.checked} 个，均完好" if kept.checked else "尚未开始", "hint"


def picture_of(row: Mapping[str, Any]) -> str:
    """Return the address of the masked thumbnail, or nothing while there is none."""
    return picture_address(row["thumbnail"]) if row.get("thumbnail") else ""


def place_of(row: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return WGS-84 degrees, or None when the place is not known."""
    coordinates = (row.get("place") or {}).get("coordinates")
    return (coordinates[0], coordinates[1]) if coordinates else None


def local_time(moment: datetime) -> str:
    """Return the time in Shanghai."""
    return moment.astimezone(LOCAL_ZONE).strftime("%m-%d %H:%M")


def panel(name: str, title: str, show: Any, place: Any, order: int, permission: str = VIEW, **more: Any) -> Panel:
    """Return a panel of the theme of alerts: evidence is what they rest on."""
    look = {"theme": THEME, "permission": permission, "place": place, "order": order, "refresh_seconds": 15, **more}
    return Panel(name=f"evidence.{name}", title=title, show=show, **look)


PANELS = [
    panel("case_kinds", "案件类型与办理", by_kind, "left", 10, rows=behind_kind),
    panel("proof", "固证情况", proof, "right", 20, PROOF, timeless=True),
]
LAYERS = [
    MapLayer(
        name="evidence.confirmed",
        title="已确认违规",
        theme=(THEME, "effectiveness"),
        permission=VIEW,
        show=where_confirmed,
        record="evidence.case",
    )
]
