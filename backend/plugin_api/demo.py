"""The fictional district that demo records are written into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.events import untold

if TYPE_CHECKING:
    from backend.identity import Principal


@dataclass(frozen=True)
class DemoArea:
    """One area of the demo district: path, name, level, and its boundary as a ring of WGS-84 [lon, lat]."""

    path: str
    name: str
    level: str
    boundary: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class DemoDistrict:
    """The ground that `load_demo` builds on; the same `seed` gives the same records.

    `by` is the demo administrator, in whose name records are added; `tell` prints one line of progress.
    """

    seed: int
    areas: Sequence[DemoArea]
    by: Principal
    data_dir: Path
    tell: Callable[[str], None]

    def of_level(self, level: str) -> list[DemoArea]:
        """Return the areas of one level: district, street, community or compound."""
        return [area for area in self.areas if area.level == level]

    def past(self) -> AbstractContextManager[None]:
        """Return a context in which no event is published: what happened long ago in a fiction is no news."""
        return untold()
