"""Figures for the cockpit."""

from __future__ import annotations

from backend.plugin_api import Bars, View, figures
from qingxu_litter.service import METRIC


def show_kinds(view: View) -> Bars:
    """Say which things lie about most."""
    summary = figures(METRIC, area=view.area, scope=view.scope, by=("kind",))
    return Bars(summary.column("kind"), {"件数": summary.measures["pieces"]}, unit="件", horizontal=True)
