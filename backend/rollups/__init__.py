"""Figures summed ahead of time: writes mark what changed, a job recomputes it, panels read sums alone."""

from backend.rollups.marking import mark_dirty, mark_many
from backend.rollups.reading import Summary, bucket_starts, figures, figures_over
from backend.rollups.recompute import background_jobs, rebuild, recompute_dirty
from backend.rollups.records import LEVELS, Definition, Mark, Metric, Rollup
from backend.rollups.registry import install

#: The stored records of this package, for `ensure_indexes`.
DOCUMENTS = (Mark, Rollup, Definition)

__all__ = [
    "DOCUMENTS",
    "LEVELS",
    "Metric",
    "Summary",
    "background_jobs",
    "bucket_starts",
    "figures",
    "figures_over",
    "install",
    "mark_dirty",
    "mark_many",
    "rebuild",
    "recompute_dirty",
]
