"""The fictional district that demo records are written into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class DemoArea:
    """One area of the demo district: path, name, level, and its boundary as a ring of WGS-84 [lon, lat]."""

    path: str
    name: str
    level: str
    boundary: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class DemoDistrict:
    """The ground that `load_demo` builds on; the same `seed` gives the same records. `tell` shows progress."""

    seed: int
    areas: Sequence[DemoArea]
    data_dir: Path
    organisations: Mapping[str, str] = field(default_factory=dict)

    def of_level(self, level: str) -> list[DemoArea]:
        """Return the areas of one level: district, street, community or compound."""
        return [area for area in self.areas if area.level == level]
