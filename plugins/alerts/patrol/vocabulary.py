"""The words of patrols: permissions, states, flags, and what a point of each kind is called."""

from __future__ import annotations

PATROL = "alerts:patrol"
VIEW, EDIT = "alerts:patrol_view", "alerts:patrol_edit"
IMPORT, EXPORT, REVEAL = "alerts:patrol_import", "alerts:patrol_export", "alerts:patrol_reveal"

#: Kinds of points; the titles are those by which a place is known.
POINT_KINDS = {"drop_off_point": "投放点", "station": "集置点"}
KIND_OF_TITLE = {title: kind for kind, title in POINT_KINDS.items()}

WEEKDAYS = {
    "mon": "周一",
    "tue": "周二",
    "wed": "周三",
    "thu": "周四",
    "fri": "周五",
    "sat": "周六",
    "sun": "周日",
}

#: A round as it goes on, and how it ends: everything visited, a part, nothing.
STATES = {
    "planned": "待巡检",
    "under_way": "巡检中",
    "finished": "已完成",
    "partial": "未走完",
    "missed": "漏检",
}
OPEN = ("planned", "under_way")
CLOSED = ("finished", "partial", "missed")

#: What makes a check-in, and with it its round, doubtful.
FLAGS = {
    "late_upload": "超过离线时限才上传",
    "clock_off": "手机时钟不准",
    "clock_jumped": "手机时钟被调整",
    "poor_accuracy": "定位误差过大",
    "no_location": "没有定位",
    "no_code": "未扫点位码",
    "old_code": "使用已更换的点位码",
    "too_fast": "移动速度异常",
    "short_dwell": "停留时间过短",
}

#: When a checklist item asks for a photo.
PHOTO_RULES = {"never": "不要求", "when_bad": "有问题时", "always": "必须"}
#: How a code of a point was read.
CODE_WAYS = {"qr": "二维码", "nfc": "NFC", "typed": "手工输入"}
OUTCOMES = {"taken": "有效", "suspicious": "存疑", "refused": "未采信"}
