"""Lists on panels: rows of text, rows with pictures, and bars that lie one under another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import html
from dash.development.base_component import Component

from backend.plugin_api.panels import Bars, Row, Rows
from dash_cockpit.theme import ALERTS
from dash_cockpit.words import number, width

#: A line of a side panel holds so many Chinese characters; longer rows take two lines.
LINE = 24.5
#: Longer labels do not leave enough room for the bar at their side.
LONGEST_LABEL = 10.2
#: What stands between columns, and what the mark of an alert level takes, in the same measure.
GAP, MARK = 0.75, 1.75


def draw_rows(content: Rows) -> Component:
    """Return a list: a table when its rows fit one line and show no pictures, otherwise two lines a row."""
    widths = [
        max([width(name)] + [width(row.texts[i]) for row in content.rows if i < len(row.texts)])
        for i, name in enumerate(content.columns)
    ]
    marked = any(row.tone in ALERTS for row in content.rows)
    if any(row.picture for row in content.rows) or sum(widths) + GAP * (len(widths) - 1) + marked * MARK > LINE:
        lines = [_card(row) for row in content.rows]
        return html.Div(html.Div(lines, className="rows-body scrolls"), className="rows rows-cards")
    widths[0] += marked * MARK
    grid = {"gridTemplateColumns": " ".join(f"minmax(0, {max(share, 2):.1f}fr)" for share in widths)}
    head = html.Div([html.Span(name) for name in content.columns], className="rows-head", style=grid)
    lines = [_line(row, grid) for row in content.rows]
    return html.Div([head, html.Div(lines, className="rows-body scrolls")], className="rows rows-table")


def draw_table(content: Rows) -> Component:
    """Return a list as a wide table, as it stands over the page; pictures are small at the beginning of their lines."""
    widths = [
        max([width(name)] + [min(width(row.texts[i]), 30.0) for row in content.rows if i < len(row.texts)])
        for i, name in enumerate(content.columns)
    ]
    pictured = any(own_address(row.picture) for row in content.rows)
    shares = [f"minmax(0, {max(share, 3):.1f}fr)" for share in widths]
    grid = {"gridTemplateColumns": " ".join(["64px", *shares] if pictured else shares)}
    head = [html.Span(name) for name in (["", *content.columns] if pictured else content.columns)]
    lines = [_line(row, grid, pictured) for row in content.rows]
    return html.Div(
        [html.Div(head, className="rows-head", style=grid), html.Div(lines, className="rows-body")],
        className="rows rows-table rows-wide",
    )


def draw_bar_list(content: Bars, colours: Mapping[str, str], *, drills: bool = False) -> Component:
    """Return lying bars, stacked by series, with the sum at the end of each line."""
    series = {name: np.nan_to_num(np.asarray(values, float)) for name, values in content.series.items()}
    total = np.sum(list(series.values()), axis=0)
    most = max(float(total.max()), 1e-9)
    label_width = max(width(label) for label in content.labels)
    long = label_width > LONGEST_LABEL  # then it stands above its bar
    value_width = max(width(number(value)) for value in total)
    # Places are told only where the plugin has put the best first.
    ranked = content.horizontal and bool(np.all(np.diff(total) <= 0))
    rank_width = "1.6em " if ranked else ""
    label_column = "" if long else f"{label_width + 0.4:.1f}em "
    grid = {"gridTemplateColumns": f"{rank_width}{label_column}1fr {value_width + 0.6:.1f}em"}
    lines = []
    for i, label in enumerate(content.labels):
        parts = [
            html.Span(
                style={"width": f"{100 * max(values[i], 0) / most:.2f}%", "background": colours[name]}, title=name
            )
            for name, values in series.items()
            if values[i] > 0
        ]
        cells = [
            *([html.Span(str(i + 1), className="bar-rank")] if ranked else []),
            html.Span(label, className="bar-label", title=label),
            html.Span(parts, className="bar-track"),
            html.Span(number(total[i]), className="bar-value"),
        ]
        clicked = drill(content.keys[i] if content.keys else label) if drills else {}
        lines.append(html.Div(cells, className="bar-line", style=grid, **clicked))
    return html.Div(lines, className=f"bar-list scrolls{' bar-list-long' if long else ''}")


def own_address(picture: str) -> str:
    """Return the address of a picture if it lies on this server, else nothing: the wall asks no other host."""
    return picture if picture.startswith("/") and not picture.startswith(("//", "/\\")) else ""


def _card(row: Row) -> Component:
    first, *others = row.texts or ("",)
    text = html.Div(
        [
            html.Div([*_mark(row), html.Span(first, title=first)], className="card-title"),
            html.Div([html.Span(text) for text in others if text], className="card-more"),
        ],
        className="card-text",
    )
    picture = own_address(row.picture)
    children = [html.Img(src=picture, alt="", className="card-picture"), text] if picture else [text]
    return html.Div(children, **_attributes(row))


def drill(key: str) -> dict[str, Any]:
    """Return the attributes of what opens the records behind it."""
    return {"data-drill": key, "role": "button", "tabIndex": 0}


def _line(row: Row, grid: Mapping[str, str], pictured: bool = False) -> Component:
    first, *others = row.texts or ("",)
    picture = own_address(row.picture)
    cells = [html.Img(src=picture, alt="", className="cell-picture") if picture else html.Span()] if pictured else []
    cells.append(html.Span([*_mark(row), html.Span(first, title=first)], className="cell-first"))
    cells += [html.Span(text, title=text) for text in others]
    return html.Div(cells, style=grid, **_attributes(row))


def _mark(row: Row) -> list[Component]:
    if row.tone in ALERTS:
        return [html.Span(className=f"mark mark-{row.tone}", title=ALERTS[row.tone][-1])]
    return [] if row.tone == "plain" else [html.Span(className=f"dot tone-{row.tone}")]


def _attributes(row: Row) -> dict[str, Any]:
    attributes: dict[str, Any] = {"className": f"row tone-{row.tone}", "data-key": row.key}
    if row.key:
        attributes["key"] = row.key
    if row.record and row.key:
        attributes |= {"data-record": row.record, "role": "button", "tabIndex": 0}
    if row.place is not None:
        attributes |= {"data-lon": row.place[0], "data-lat": row.place[1], "role": "button", "tabIndex": 0}
    return attributes
