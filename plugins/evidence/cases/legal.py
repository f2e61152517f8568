"""What a penalty may rest on (行政处罚法 art. 41): devices with a whole legal record, or somebody who was there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from plugins.evidence.captures.models import Capture

#: The parts of a device's legal record, as people here call them.
PARTS = {
    "review_document": "法制审核文书",
    "reviewed_on": "审核日期",
    "standard": "技术标准",
    "sign_photo": "标识照片",
    "publication": "设置地点公示",
}


def devices_of(captures: Sequence[Capture]) -> list[dict[str, Any]]:
    """Return each device that saw something of a case, with the parts that its legal record lacks."""
    devices = {each.sender: each for each in captures if each.source == "device"}
    return [
        {"device": code, "name": each.device_name or code, "missing": missing(each.legal)}
        for code, each in sorted(devices.items())
    ]


def missing(legal: Any) -> list[str]:
    """Return the Chinese names of what a legal record lacks."""
    return [title for name, title in PARTS.items() if not getattr(legal, name, None)]


def lacking(captures: Sequence[Capture]) -> Mapping[str, list[str]]:
    """Return what is missing of which device, as fields of a problem: a sentence for each part of a record."""
    return {
        f"legal.{device['device']}": [f"{device['name']}：缺{'、'.join(device['missing'])}。"]
        for device in devices_of(captures)
        if device["missing"]
    }


def needs_visit(captures: Sequence[Capture]) -> bool:
    """Say whether people reported some of it, so that somebody has to have looked on site."""
    return any(each.source != "device" for each in captures)
