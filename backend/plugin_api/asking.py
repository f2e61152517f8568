"""What one plugin asks of all others, without knowing which one answers."""

from __future__ import annotations

from backend.plugin_api import registry
from backend.plugin_api.records import DeviceFacts, MaskedPhoto, PlaceFacts


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
