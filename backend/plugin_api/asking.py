"""What one plugin asks of all others, without knowing which one answers."""

from __future__ import annotations

from datetime import datetime

from backend.plugin_api import registry
from backend.plugin_api.records import (
    AlertFacts,
    AlertReport,
    CompoundFacts,
    DeviceFacts,
    MaskedPhoto,
    PlaceFacts,
    WorkOrderFacts,
    WorkOrderRequest,
)


def find_compound(code: str) -> CompoundFacts | None:
    """Return what is known of the compound `code`, or None when no module has it."""
    answer: CompoundFacts | None = registry.installed().ask("find_compound", code=code)
    return answer


def find_device(code: str) -> DeviceFacts | None:
    """Return what is known of the device `code`, or None when no module has it."""
    answer: DeviceFacts | None = registry.installed().ask("find_device", code=code)
    return answer


def find_place_near(longitude: float, latitude: float, metres: float) -> PlaceFacts | None:
    """Return the drop-off point or station in use that is nearest, or None when no module has one so near."""
    answer: PlaceFacts | None = registry.installed().ask(
        "find_place_near", longitude=longitude, latitude=latitude, metres=metres
    )
    return answer


def find_place(code: str) -> PlaceFacts | None:
    """Return where the drop-off point or station `code` is, or None when no module has it."""
    answer: PlaceFacts | None = registry.installed().ask("find_place", code=code)
    return answer


def mask_photo(sha256: str, space: str) -> MaskedPhoto | None:
    """Return a copy of a stored photo without faces, or None when no module can tell now whether there are any."""
    answer: MaskedPhoto | None = registry.installed().ask("mask_photo", sha256=sha256, space=space)
    return answer


def raise_alert(report: AlertReport) -> AlertFacts | None:
    """Hand on something seen; returns its alert, or None when no module takes alerts or the kind is not known yet."""
    answer: AlertFacts | None = registry.installed().ask("raise_alert", report=report)
    return answer


def working_deadline(area: str, start: datetime, minutes: int) -> datetime | None:
    """Return when so many working minutes have passed, or None when no module keeps a duty calendar."""
    answer: datetime | None = registry.installed().ask("working_deadline", area=area, start=start, minutes=minutes)
    return answer


def open_work_order(request: WorkOrderRequest) -> WorkOrderFacts | None:
    """Open a work order, or return the one that this source has opened before; None when no module keeps any."""
    answer: WorkOrderFacts | None = registry.installed().ask("open_work_order", request=request)
    return answer
