"""Turn what panels return into Dash components, every kind in one style."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from backend.plugin_api import LOCAL_ZONE
from backend.plugin_api.panels import Bars, Chart, Content, Figure, Figures, Ring, Rows, Tone, Trend
from dash_cockpit import theme
from dash_cockpit.lists import draw_bar_list, draw_rows, drill
from dash_cockpit.words import change, compact, number, width

TEMPLATE = theme.plotly_template()

#: Room for the labels under upright bars, in widths of a Chinese character.
LABELS_WIDTH = 26


def draw(content: Content, *, drills: bool = False) -> Component:
    """Return the component that shows `content`; where it `drills`, its parts open the records behind them.

    Raises TypeError for anything but the kinds of content.
    """
    match content:
        case Figures():
            return draw_figures(content, drills=drills)
        case Bars():
            return draw_bars(content, drills=drills)
        case Ring():
            return draw_ring(content, drills=drills)
        case Trend():
            return draw_trend(content, drills=drills)
        case Rows():
            return draw_rows(content) if content.rows else nothing()
        case Chart():
            return draw_chart(content)
    raise TypeError(f"A panel returns one of the kinds of content, not {type(content).__name__}.")


def draw_figures(content: Figures, *, drills: bool = False) -> Component:
    """Return headline figures side by side, each with how it stands to the period before and to a year before."""
    if not content.items:
        return nothing()
    cards = []
    for item in content.items:
        text, scale = (item.value, "") if isinstance(item.value, str) else compact(item.value)
        unit = "" if text == "—" else scale + item.unit  # nothing is not so many per cent
        value = [html.Span(text, className="figure-number"), html.Span(unit, className="figure-unit")]
        parts = [
            html.Div(value, className="figure-value"),
            html.Div(item.label, className="figure-label"),
            *draw_changes(item),
        ]
        clicked = drill(item.key or item.label) if drills else {}
        cards.append(html.Div(parts, className=f"figure tone-{item.tone}", **clicked))
    return html.Div(cards, className="figures")


def draw_changes(item: Figure) -> list[Component]:
    """Return the lines 环比 and 同比 of a figure that is compared: an arrow for the way, a colour for good or bad."""
    value = float(item.value) if not isinstance(item.value, str) else math.nan
    lines = []
    for name, before in (("环比", item.before), ("同比", item.year_before)):
        if before is None:
            continue
        way, text = change(value, before, item.unit)
        wanted = {"more": 1, "less": -1}.get(item.better, 0)
        news = "plain" if not way or not wanted else "good" if way == wanted else "bad"
        told = html.Span(
            [html.I("▲▼"[way < 0], className="change-arrow") if way else "", text], className="change-text"
        )
        parts = [html.Span(name, className="change-name"), told]
        lines.append(html.Div(parts, className=f"change change-{news}", title=f"{name}：{number(before)}{item.unit}"))
    return [html.Div(lines, className="figure-changes")] if lines else []


def draw_bars(content: Bars, *, drills: bool = False) -> Component:
    """Return bars: upright ones where their labels fit beneath, otherwise a list of lying ones."""
    if not len(content.labels) or not content.series:
        return nothing()
    colours = series_colours(list(content.series), content.tones)
    labels = None if content.horizontal else fitting(content.labels)
    if labels is None:
        drawing = draw_bar_list(content, colours, drills=drills)
        return with_legend(drawing, colours, content.unit, key_needed=len(colours) > 1)
    total = np.nansum([np.asarray(values, float) for values in content.series.values()], axis=0)
    texts = ["".join(compact(value)) for value in total]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "name": name,
            "x": list(range(len(labels))),
            "y": typed(values),
            "marker": {"color": colours[name], "line": {"width": 0}, "cornerradius": 3},
            "hovertemplate": f"%{{customdata}}<br>{name} %{{y:,}} {content.unit}<extra></extra>",
            "customdata": list(content.labels),
        }
        for name, values in content.series.items()
    ]
    # The sums stand above the stack as the labels of an invisible line.
    sums = {"type": "scatter", "mode": "text", "x": list(range(len(labels))), "y": typed(total), "text": texts}
    traces.append({**sums, "textposition": "top center", "hoverinfo": "skip", "textfont": {"color": "#eaf4ff"}})
    layout = {
        "barmode": "stack",
        "bargap": 0.5 if len(labels) > 4 else 0.64,
        "xaxis": {
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "tickangle": 0,
            "showgrid": False,
            "range": [-0.6, len(labels) - 0.4],
        },
        "yaxis": value_axis(total, headroom=1.14),
        **drilling(drills, content.keys or content.labels),
    }
    return with_legend(graph({"data": traces, "layout": layout}), colours, content.unit, key_needed=len(colours) > 1)


def draw_ring(content: Ring, *, drills: bool = False) -> Component:
    """Return shares of a whole: the ring with its total inside, and every share in words beside it."""
    values = np.nan_to_num(np.asarray(content.values, float))
    if values.sum() <= 0:
        return nothing()
    tones = dict(enumerate(content.tones))
    colours = [theme.colour(tones.get(i, "plain"), i) for i in range(len(values))]
    trace = {
        "type": "pie",
        "labels": list(content.labels),
        "values": typed(values),
        "hole": 0.72,
        "sort": False,
        "direction": "clockwise",
        "textinfo": "none",
        "marker": {"colors": colours, "line": {"color": "#08193a", "width": 2}},
        "hovertemplate": f"%{{label}}<br>%{{value:,}} {content.unit} · %{{percent}}<extra></extra>",
    }
    text, scale = compact(values.sum())
    total = html.Div(
        [html.Div(text, className="ring-total"), html.Div(f"{scale}{content.unit}", className="ring-unit")],
        className="ring-middle",
    )
    keys = content.keys or content.labels
    layout = {"margin": {"l": 4, "r": 4, "t": 4, "b": 4}, **drilling(drills, keys)}
    drawing = html.Div([graph({"data": [trace], "layout": layout}), total], className="ring-drawing")
    shares = [
        html.Div(
            [
                html.Span(className="swatch", style={"background": colour}),
                html.Span(label, className="ring-label"),
                html.Span(f"{value / values.sum():.1%}", className="ring-share"),
                html.Span("".join(compact(value)), className="ring-value"),
            ],
            className="ring-row",
            **(drill(key) if drills else {}),
        )
        for label, key, value, colour in zip(content.labels, keys, values, colours, strict=True)
    ]
    return html.Div([drawing, html.Div(shares, className="ring-shares")], className="ring")


def draw_trend(content: Trend, *, drills: bool = False) -> Component:
    """Return lines over time, in the clock of Shanghai."""
    if not len(content.times) or not content.series:
        return nothing()
    colours = series_colours(list(content.series), content.tones)
    times = [time.astimezone(LOCAL_ZONE).replace(tzinfo=None) for time in content.times]
    days = (times[-1] - times[0]).total_seconds() / 86_400
    tick = "%H:%M" if days < 2 else "%-m月%-d日" if days < 400 else "%Y年%-m月"
    alone = len(content.series) == 1
    filled = list(content.series)[:1] if len(content.series) <= 2 else []
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": [time.isoformat(timespec="seconds") for time in times],
            "y": typed(values),
            "line": {"color": colours[name], "width": 2.5},
            "fill": "tozeroy" if name in filled else "none",
            "fillgradient": {"type": "vertical", "colorscale": fade(colours[name])} if name in filled else None,
            "hovertemplate": f"{name} %{{y:,}} {content.unit}<extra></extra>",
        }
        for name, values in content.series.items()
    ]
    every = np.concatenate([np.asarray(values, float) for values in content.series.values()])
    layout = {
        "hovermode": "x unified",
        # Half a label beyond the last point, and beyond the first where the other axis leaves no room.
        "margin": {"l": 34, "r": 24 if days < 2 else 34 if days < 400 else 44, "t": 10, "b": 8},
        "xaxis": {
            "tickformat": tick,
            "hoverformat": "%-m月%-d日 %H:%M" if days < 60 else "%Y年%-m月%-d日",
            "nticks": 6,
            "tickangle": 0,
            "ticklabelstandoff": 5,
            "showgrid": False,
        },
        "yaxis": value_axis(every),
        **drilling(drills, spans_of(content.times)),
    }
    return with_legend(graph({"data": traces, "layout": layout}), colours, content.unit, key_needed=not alone)


def drilling(drills: bool, keys: Sequence[str]) -> dict[str, Any]:
    """Return what a figure carries so that a click on its nth point opens the records of the nth key."""
    return {"meta": {"drill": list(keys)}} if drills else {}


def spans_of(times: Sequence[datetime]) -> list[str]:
    """Return the time from each point of a trend to the next as `since/until`; the last is as long as that before."""
    last = times[-1] - times[-2] if len(times) > 1 else timedelta(days=366)
    ends = [*times[1:], times[-1] + last]
    return [f"{since.isoformat()}/{until.isoformat()}" for since, until in zip(times, ends, strict=True)]


def draw_chart(content: Chart) -> Component:
    """Return a plugin's own figure in the shared style."""
    figure = content.figure.to_plotly_json()  # a copy: the plugin may show the same figure again
    layout = {**figure["layout"], "template": TEMPLATE}
    if any("polar" in trace.get("type", "") for trace in figure["data"]):
        layout.setdefault("margin", {"l": 52, "r": 52, "t": 30, "b": 30})  # Plotly keeps no room for these labels
    return graph({**figure, "layout": layout})


def nothing() -> Component:
    """Return what a panel without data shows."""
    return html.Div([html.Div(className="empty-sign"), "暂无数据"], className="panel-empty")


def error_card() -> Component:
    """Return what a panel shows that failed before it ever succeeded."""
    sign = html.Span("!", className="error-sign")
    return html.Div([sign, html.Div("本面板暂时无法显示"), html.Small("系统将自动重试")], className="panel-error")


def graph(figure: Mapping[str, Any]) -> Component:
    """Return a figure that fills its box; the shared template is added where there is none."""
    layout = {"template": TEMPLATE, "autosize": True, **figure["layout"]}
    config: Any = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
    return dcc.Graph(figure={**figure, "layout": layout}, config=config, className="graph")


def with_legend(drawing: Component, colours: Mapping[str, str], unit: str, *, key_needed: bool) -> Component:
    """Return a drawing under its legend, which stands in a line of its own so that it never covers the plot."""
    keys = [
        html.Span([html.Span(className="swatch", style={"background": colour}), name], className="legend-key")
        for name, colour in colours.items()
        if key_needed
    ]
    told = [html.Span(f"单位：{unit}", className="legend-unit")] if unit else []
    if not keys and not told:
        return html.Div(drawing, className="plot plot-bare")
    return html.Div([html.Div([*told, *keys], className="plot-legend"), drawing], className="plot")


def series_colours(names: Sequence[str], tones: Mapping[str, Tone]) -> dict[str, str]:
    """Return the colour of each series: by its tone, else the next of the sequence."""
    return {name: theme.colour(tones.get(name, "plain"), i) for i, name in enumerate(names)}


def typed(values: Any) -> dict[str, str]:
    """Return an array in Plotly's base64 form, a third of the bytes of decimal digits and no parsing."""
    array = np.ascontiguousarray(values, dtype="<f8")
    return {"dtype": "f8", "bdata": base64.b64encode(array.tobytes()).decode()}


def value_axis(values: Any, headroom: float = 1.06) -> dict[str, Any]:
    """Return an axis from zero with ticks in 万 and 亿; Plotly chooses by itself where values are negative."""
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not finite.size or finite.min() < 0:
        return {"exponentformat": "none", "separatethousands": True}
    top = max(float(finite.max()), 1e-9) * headroom
    rough = top / 4
    power = 10.0 ** math.floor(math.log10(rough))
    counted = np.all(finite == finite.round()) and power <= 1  # what is counted in ones has no halves
    step = next(power * nice for nice in ((1, 2, 5, 10) if counted else (1, 2, 2.5, 5, 10)) if power * nice >= rough)
    if counted:
        step = max(step, 1.0)
    ticks = np.arange(0, top + step * 0.01, step)
    return {"range": [0, max(top, ticks[-1])], "tickvals": ticks.tolist(), "ticktext": [number(tick) for tick in ticks]}


def fitting(labels: Sequence[str]) -> list[str] | None:
    """Return the labels so that they fit under upright bars, in one line or in two, None when they do not."""
    for shown in (list(labels), [halved(label) for label in labels]):
        if sum(max(map(width, label.split("<br>"))) + 0.8 for label in shown) <= LABELS_WIDTH:
            return shown
    return None


def halved(label: str) -> str:
    """Return a label in two lines where that tears no word: 清源街道 becomes 清源 over 街道, 3号院 stays."""
    middle = (len(label) + 1) // 2
    torn = len(label) < 4 or label[middle - 1].isascii() or label[middle].isascii()
    return label if torn else f"{label[:middle]}<br>{label[middle:]}"


def fade(colour: str) -> list[list[Any]]:
    """Return a colour scale from clear to half of `colour`, written #rrggbb."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return [[0, f"rgba({red},{green},{blue},0)"], [1, f"rgba({red},{green},{blue},0.45)"]]
