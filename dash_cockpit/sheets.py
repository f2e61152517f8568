"""What panels show, as tables of numbers and texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from backend.plugin_api.panels import Bars, Chart, Content, Figure, Figures, Ring, Rows, Trend

Cell = str | float | datetime | None


@dataclass(frozen=True)
class Sheet:
    """A table; `shares` are the columns that hold parts of one, `notes` stand under it."""

    columns: Sequence[str]
    lines: Sequence[Sequence[Cell]]
    shares: frozenset[int] = frozenset()
    notes: Sequence[str] = ()


def sheet_of(content: Content) -> Sheet:
    """Return the table of what a panel shows."""
    match content:
        case Figures():
            columns = ("指标", "数值", "单位", "上期", "环比", "去年同期", "同比")
            return Sheet(columns, [figure_line(item) for item in content.items], frozenset({4, 6}))
        case Bars():
            return of_series("名称", list(content.labels), content.series, content.unit, summed=True)
        case Ring():
            values = [cell(value) for value in content.values]
            total = sum(value for value in values if value is not None)
            lines = [
                (label, value, None if value is None or not total else value / total)
                for label, value in zip(content.labels, values, strict=True)
            ]
            return Sheet(("名称", with_unit("数值", content.unit), "占比"), lines, frozenset({2}))
        case Trend():
            return of_series("时间", list(content.times), content.series, content.unit, summed=False)
        case Rows():
            notes = ["仅列出最近的记录。"] if content.more else []
            return Sheet(content.columns, [list(row.texts) for row in content.rows], notes=notes)
        case Chart():
            return of_chart(content)


def figure_line(item: Figure) -> list[Cell]:
    """Return a headline figure with what it is compared to; shares differ in points, which no percentage tells."""
    value = item.value if isinstance(item.value, str) else cell(item.value)
    line: list[Cell] = [item.label, value, item.unit]
    for before in (item.before, item.year_before):
        grown = None
        if before and item.unit != "%" and isinstance(value, int | float):
            grown = (value - before) / before
        line += [None if before is None else cell(before), grown]
    return line


def of_series(name: str, keys: Sequence[Cell], series: Mapping[str, Any], unit: str, *, summed: bool) -> Sheet:
    """Return a line for each key with the values of all series, and their sum where there are several."""
    columns = [name, *(with_unit(each, unit) for each in series)]
    values = [[cell(value) for value in each] for each in series.values()]
    lines = [[key, *(each[place] for each in values)] for place, key in enumerate(keys)]
    if summed and len(series) > 1:
        columns.append(with_unit("合计", unit))
        lines = [[*line, sum(value for value in line[1:] if isinstance(value, int | float))] for line in lines]
    return Sheet(columns, lines)


def of_chart(content: Chart) -> Sheet:
    """Return the values of a plugin's own figure: a grid as it stands, anything else point by point."""
    traces = content.figure.data
    if len(traces) == 1 and getattr(traces[0], "z", None) is not None:
        [trace] = traces
        grid = np.asarray(trace.z)
        across = [str(each) for each in (range(grid.shape[1]) if trace.x is None else trace.x)]
        down = [str(each) for each in (range(grid.shape[0]) if trace.y is None else trace.y)]
        return Sheet(["", *across], [[name, *map(cell, line)] for name, line in zip(down, grid, strict=True)])
    lines: list[list[Cell]] = []
    for number, trace in enumerate(traces, 1):
        names = next((each for each in (("theta", "r"), ("labels", "values"), ("x", "y")) if each[1] in trace), None)
        if names and trace[names[1]] is not None:
            values = list(trace[names[1]])
            keys = trace[names[0]] if trace[names[0]] is not None else range(1, len(values) + 1)
            lines += [
                [trace.name or f"系列{number}", str(key), cell(value)] for key, value in zip(keys, values, strict=False)
            ]
    return Sheet(("系列", "名称", "数值"), lines)


def with_unit(name: str, unit: str) -> str:
    """Return the head of a column."""
    return f"{name}（{unit}）" if unit else name


def cell(value: Any) -> float | None:
    """Return a number as a cell takes it, None for what is none."""
    try:
        plain = float(value)
    except (TypeError, ValueError):
        return None
    return plain if math.isfinite(plain) else None
