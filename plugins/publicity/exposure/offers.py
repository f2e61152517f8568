"""What exposures add to the platform, by kind."""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import EventHandler, EventKind, MenuEntry, Permission, ProblemCode
from plugins.publicity.exposure import following, models, pages, pictures, routes, staff_routes
from plugins.publicity.exposure.categories import CONFIGURE, CategoryChange
from plugins.publicity.exposure.models import BLOB_USERS, CUSTODIAN, MODERATE, REPORT, VIEW

__all__ = ["BLOB_USERS", "BLUEPRINTS", "DOCUMENTS", "EVENTS", "MENU", "PAGES", "PERMISSIONS", "PROBLEMS", "handlers"]

OFFICES = ("district_staff", "street_staff", "community_staff")
STAFF = (*OFFICES, "supervisor", "property_staff", "enforcement_officer")

PERMISSIONS = (
    Permission(REPORT, "提交监督曝光", (*STAFF, "resident", "volunteer")),
    Permission(VIEW, "查看监督曝光", OFFICES),
    Permission(MODERATE, "审核监督曝光", ("district_staff", "street_staff")),
    Permission(CONFIGURE, "维护监督曝光类别", ("district_staff",)),
    Permission(CUSTODIAN, "保管监督曝光上报人身份"),
)
DOCUMENTS = (*models.DOCUMENTS, CategoryChange)
BLUEPRINTS = (
    routes.blueprint,
    routes.catalogue,
    routes.receipts,
    routes.public,
    staff_routes.blueprint,
    staff_routes.requests,
)
PAGES = (pages.pages,)

PROBLEMS = (
    ProblemCode("receipt_code_wrong", 404, "回执码不正确", "回执码不正确，请对照提交时的回执重新输入。"),
    ProblemCode("no_such_point", 422, "点位不存在", "没有这个投放点或集置点，请核对牌子上的编号。"),
    ProblemCode("nothing_near", 422, "附近没有点位", "500 米内没有投放点或集置点，请填写点位编号。"),
    ProblemCode("clip_not_mp4", 422, "视频无法读取", "文件不是完整的 MP4 视频。"),
    ProblemCode("category_needed", 409, "须先选定类别", "“其他问题”不能直接立案，请先改为具体的类别。"),
    ProblemCode("not_handled", 409, "还不能公示", "办结且未隐藏的曝光才能公示。"),
    ProblemCode("photo_not_masked", 409, "照片尚未脱敏", "所选照片还没有脱敏，不能公示。"),
    ProblemCode("no_identity", 409, "没有上报人信息", "上报人没有登录，也没有留下联系方式。"),
)
EVENTS = (
    EventKind(name="exposure.reported", title="收到监督曝光", payload="exposure, category"),
    EventKind(name="exposure.accepted", title="监督曝光已受理", payload="exposure, round"),
    EventKind(name="exposure.converted", title="监督曝光已立案", payload="exposure, number, alert"),
    EventKind(name="exposure.handled", title="监督曝光已办结", payload="exposure, number, alert"),
    EventKind(name="exposure.rated", title="监督曝光已评价", payload="exposure, number, stars"),
    EventKind(name="exposure.published", title="监督曝光已公示", payload="exposure, number"),
    EventKind(name="exposure.blackened", title="监督曝光照片已涂黑", payload="exposure, gone"),
)
MENU = (
    MenuEntry(name="publicity.report", title="我要曝光", permission=REPORT, href="/publicity/report", order=60),
    MenuEntry(
        name="publicity.moderation", title="曝光审核", permission=MODERATE, href="/publicity/moderation", order=61
    ),
    MenuEntry(name="publicity.cockpit", title="宣传推广", permission=VIEW, href="/cockpit/?theme=publicity", order=62),
)


def handlers() -> Sequence[EventHandler]:
    """Return what exposures do when something happens; how long pictures may take is a setting."""
    seconds = pictures.copy_seconds()
    return (
        *following.HANDLERS,
        EventHandler(
            name="publicity.copy",
            event="exposure.reported",
            handle=pictures.make_copies,
            queue="vision",
            timeout_seconds=seconds,
        ),
        EventHandler(
            name="publicity.copy_again",
            event="exposure.blackened",
            handle=pictures.make_copies,
            queue="vision",
            timeout_seconds=seconds,
        ),
        EventHandler(name="publicity.release", event="exposure.blackened", handle=pictures.release),
    )
