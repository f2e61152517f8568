"""What patrols add to the platform, by kind."""

from __future__ import annotations

from backend.plugin_api import EventHandler, EventKind, Job, MenuEntry, MessageTemplate, Permission, ProblemCode
from plugins.alerts.patrol import items, pages, plans, routes
from plugins.alerts.patrol.closing import watch
from plugins.alerts.patrol.generating import follow_compound, make_rounds
from plugins.alerts.patrol.models import BLOB_USERS, DOCUMENTS
from plugins.alerts.patrol.panels import METRICS, PANELS
from plugins.alerts.patrol.plans import MAKE_ROUNDS
from plugins.alerts.patrol.vocabulary import EDIT, EXPORT, IMPORT, PATROL, REVEAL, VIEW

__all__ = [
    "BLOB_USERS", "BLUEPRINTS", "DOCUMENTS", "EVENTS", "HANDLERS", "JOBS", "MENU", "MESSAGES", "METRICS", "PAGES",
    "PANELS", "PERMISSIONS", "PROBLEMS",
]  # fmt: skip

OFFICES = ("district_staff", "street_staff", "community_staff")

PERMISSIONS = (
    Permission(PATROL, "巡检打卡", ("supervisor",)),
    Permission(VIEW, "查看巡检记录", OFFICES),
    Permission(EDIT, "维护巡检计划、检查项和点位码", OFFICES),
    Permission(IMPORT, "导入巡检计划和检查项", ("district_staff", "street_staff")),
    Permission(EXPORT, "导出巡检计划和记录", OFFICES),
    Permission(REVEAL, "查看巡检完整联系方式"),
)
BLUEPRINTS = (routes.phone, routes.rounds, routes.sites, plans.blueprint, items.blueprint)
PAGES = (pages.pages,)

PROBLEMS = (
    ProblemCode("patrol_not_your_round", 403, "不是本人的巡检", "这次巡检由其他专管员负责。"),
    ProblemCode("patrol_point_not_in_round", 422, "点位不在本次巡检中", "这次巡检不包括这个点位。"),
    ProblemCode("patrol_unknown_item", 422, "检查项不存在", "没有这个检查项，或它不属于这类点位。"),
    ProblemCode("patrol_photo_missing", 422, "照片未上传", "所引用的照片没有上传，请重新上传后再提交。"),
    ProblemCode("patrol_photo_needed", 422, "缺少照片", "有检查项须附照片。"),
    ProblemCode("patrol_from_future", 422, "打卡时间有误", "打卡时间晚于提交时间，或离开早于到达。"),
    ProblemCode("patrol_window_closed", 422, "不在巡检时段", "打卡时间不在本次巡检的时段内。"),
    ProblemCode("patrol_mock_location", 422, "模拟定位", "手机正在使用模拟定位，请关闭后重新打卡。"),
    ProblemCode("patrol_wrong_code", 422, "点位码不正确", "扫到的不是这个点位现在的码，请扫现场张贴的码。"),
    ProblemCode("patrol_place_unproven", 422, "没有定位", "没有取得定位，请打开定位或扫点位码后重新打卡。"),
    ProblemCode("patrol_too_far", 422, "不在点位附近", "不在点位的打卡范围内。"),
    ProblemCode("patrol_already_finished", 409, "巡检已完成", "这次巡检已经提交完成。"),
    ProblemCode("patrol_nothing_done", 409, "还没有打卡", "一个点位都没有打卡，不能完成。"),
)
CHECKED = "check_in, round, point, area, supervisor, at, outcome"
EVENTS = (
    EventKind(name="patrol.checked_in", title="巡检打卡", payload=f"{CHECKED}, flags"),
    EventKind(
        name="patrol.finding",
        title="巡检发现问题",
        payload=f"{CHECKED}, item, item_title, points, note, photos",
    ),
    EventKind(
        name="patrol.round_finished",
        title="巡检结束",
        payload="round, plan, supervisor, result, done, total, findings, reports, flagged, flags, started_at, "
        "finished_at",
    ),
    *(
        EventKind(
            name=f"{resource.noun}.{verb}",
            title=f"{resource.title}{title}",
            payload="added, changed" if verb == "imported" else "id, code",
        )
        for resource in (plans.PLANS, items.ITEMS)
        for verb, title in (
            ("created", "新增"), ("changed", "修改"), ("disabled", "停用"), ("enabled", "启用"), ("imported", "导入"),
        )
    ),
)  # fmt: skip
HANDLERS = (EventHandler(name="alerts.patrol_moved", event="compound.moved", handle=follow_compound),)
JOBS = (
    Job(name=MAKE_ROUNDS, title="生成巡检任务", run=make_rounds, every_seconds=600, timeout_seconds=300),
    Job(name="alerts.patrol_watch", title="巡检提醒和漏检", run=watch, every_seconds=60, timeout_seconds=300),
)
MESSAGES = (
    MessageTemplate(
        name="alerts.patrol_due",
        title="巡检即将漏检",
        text="{plan}须在 {until} 前完成，还有 {left} 个点位没有打卡。",
        href="/alerts/patrol/today",
        urgent=True,
        fields={"plan": "巡检计划", "until": "截止时间", "left": "未打卡点位数"},
        list_href="/alerts/patrol/today",
    ),
    MessageTemplate(
        name="alerts.patrol_missed",
        title="巡检漏检",
        text="{plan}（{window}，{supervisor}）{state}：{total} 个点位中打卡 {done} 个。离线打卡上传后会自动更正。",
        href="/alerts/patrol/rounds",
        fields={
            "plan": "巡检计划",
            "window": "时段",
            "supervisor": "专管员",
            "state": "结果",
            "done": "已打卡点位数",
            "total": "点位数",
        },
        list_href="/alerts/patrol/rounds",
    ),
)
MENU = (
    MenuEntry(name="alerts.patrol", title="今日巡检", permission=PATROL, href="/alerts/patrol/today", order=12),
    MenuEntry(name="alerts.patrol_rounds", title="巡检记录", permission=VIEW, href="/alerts/patrol/rounds", order=13),
)
