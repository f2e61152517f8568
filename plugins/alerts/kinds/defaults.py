"""The catalogue that a district begins with; from then on it is the district's own."""

from __future__ import annotations

from typing import Any

#: How urgent a kind is, 1 to 4, and the Chinese words for it.
SEVERITIES = {1: "提示", 2: "一般", 3: "较重", 4: "紧急"}
CATEGORIES = {
    "environment": "环境卫生",
    "sorting": "分类质量",
    "safety": "安全隐患",
    "facility": "设施设备",
    "collection": "收运作业",
    "duty": "人员履职",
    "violation": "违规取证",
}
#: Whether limits run by the clock or in working hours.
UNITS = {"clock": "自然时间", "working": "工作时间"}
#: Who may be charged with a kind: user types.
ROLES = {
    "supervisor": "专管员",
    "property_staff": "物业人员",
    "community_staff": "社区工作人员",
    "street_staff": "街道工作人员",
    "district_staff": "区级管理员",
    "collection_staff": "收运企业人员",
    "enforcement_officer": "执法人员",
}
#: What a reply (回单) has to hold.
PROOFS = {"before_photo": "处置前照片", "after_photo": "处置后照片", "place": "现场定位", "note": "文字说明"}

PHOTOS = ["before_photo", "after_photo"]
HOUR, DAY, WORKING_DAY = 60, 24 * 60, 8 * 60

# code, title, severity, category, debounce, first response, closing (minutes), unit, role, proof, talk-back
_ROWS: tuple[tuple[Any, ...], ...] = (
    ("E01", "冒烟冒火", 4, "safety", 10, 5, HOUR, "clock", "property_staff", [*PHOTOS, "place"],
     "此处冒烟，请远离并通知物业。"),
    ("E02", "满溢", 2, "environment", 30, 30, 2 * HOUR, "clock", "property_staff", PHOTOS,
     "垃圾桶已满，请投放到相邻桶内。"),
    ("E03", "包外垃圾（落地）", 2, "environment", 30, 30, 2 * HOUR, "clock", "property_staff", PHOTOS,
     "请将垃圾投入桶内，不要放在地上。"),
    ("E04", "混投", 2, "sorting", 30, 30, WORKING_DAY, "working", "supervisor", ["note"],
     "请按类别分类投放，谢谢配合。"),
    ("E05", "未破袋", 1, "sorting", 30, WORKING_DAY, 2 * WORKING_DAY, "working", "supervisor", ["note"],
     "易腐垃圾请破袋投放。"),
    ("E06", "非定时投放", 1, "sorting", 30, WORKING_DAY, 2 * WORKING_DAY, "working", "supervisor", ["note"],
     "现在不是投放时间，请在规定时间投放。"),
    ("E07", "乱堆大件", 2, "environment", 60, 2 * HOUR, DAY, "clock", "property_staff", PHOTOS,
     "大件垃圾请预约上门收运。"),
    ("E08", "装修（建筑）垃圾乱堆", 3, "environment", 60, 2 * HOUR, 2 * DAY, "clock", "community_staff", PHOTOS,
     "装修垃圾请预约清运，不要堆放在此处。"),
    ("E09", "人员离岗", 1, "duty", 30, 15, 4 * HOUR, "clock", "supervisor", ["place", "note"], ""),
    ("E10", "设备离线", 2, "facility", 30, 30, DAY, "clock", "street_staff", ["note"], ""),
    ("E11", "混收混运", 4, "collection", 30, 30, DAY, "clock", "enforcement_officer", ["note"], ""),
    ("E12", "有害垃圾混入", 3, "safety", 30, HOUR, 4 * HOUR, "clock", "property_staff", PHOTOS,
     "有害垃圾请投入红色收集容器。"),
    ("V01", "混投垃圾（已取证）", 2, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working", "enforcement_officer",
     ["note"], ""),
    ("V02", "垃圾落地（已取证）", 2, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working", "enforcement_officer",
     ["note"], ""),
    ("V03", "未破袋投放（已取证）", 1, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working", "enforcement_officer",
     ["note"], ""),
    ("V04", "误时投放（已取证）", 1, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working", "enforcement_officer",
     ["note"], ""),
    ("V05", "偷倒大件或装修垃圾（已取证）", 3, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working",
     "enforcement_officer", ["note"], ""),
    ("V06", "其他违规（已取证）", 2, "violation", 0, 2 * HOUR, 3 * WORKING_DAY, "working", "enforcement_officer",
     ["note"], ""),
)  # fmt: skip
_NAMES = (
    "code", "name", "severity", "category", "debounce_minutes", "respond_minutes", "close_minutes", "limit_unit",
    "role", "proof", "talk_back",
)  # fmt: skip

#: Below this share a machine's own confidence makes an alert wait for a person; for fire anything is worth a look.
FLOOR = 0.5

KINDS: tuple[dict[str, Any], ...] = tuple(
    {
        **dict(zip(_NAMES, row, strict=True)),
        "confidence_floor": 0.3 if row[0] == "E01" else FLOOR,
        "merge_metres": 30 if row[0] in ("E07", "E08") else 0,
    }
    for row in _ROWS
)

#: Vendors' codes that are known beforehand: Dahua's numbers as its software development kit has them, and our own
#: evidence's words for violations.
VENDOR_CODES: tuple[tuple[str, str, str], ...] = (
    ("dahua", "0x25F", "E03"),
    ("dahua", "0x260", "E02"),
    ("dahua", "0x261", "E03"),
    ("dahua", "0x349", "E07"),
    ("dahua", "0x425", "E04"),
    ("dahua", "0x426", "E05"),
    ("evidence", "mixed_waste", "V01"),
    ("evidence", "waste_on_ground", "V02"),
    ("evidence", "bag_not_broken", "V03"),
    ("evidence", "overtime", "V04"),
    ("evidence", "bulky_dumped", "V05"),
    ("evidence", "overflow", "V02"),
    ("evidence", "other", "V06"),
)
