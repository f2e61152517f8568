"""Content becomes components that read well."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.plugin_api.panels import Bars, Chart, Figure, Figures, Ring, Row, Rows, Trend
from dash_cockpit.draw import draw, value_axis
from dash_cockpit.live import to_json
from dash_cockpit.words import number


def text_of(component: Any) -> str:
    """Return all texts of a drawn component, one after another."""
    if isinstance(component, dict):
        return text_of(component["props"].get("children"))
    if isinstance(component, list):
        return " ".join(filter(None, map(text_of, component)))
    return "" if component is None else str(component)


def drawn(content: Any) -> dict[str, Any]:
    """Return the JSON of drawn content."""
    return orjson.loads(to_json(draw(content)))


def figure_of(component: Any) -> dict[str, Any]:
    """Return the first Plotly figure inside a drawn component."""
    if isinstance(component, dict):
        if component["type"] == "Graph":
            return component["props"]["figure"]
        return figure_of(component["props"].get("children"))
    return next((found for each in component or [] if not isinstance(each, str) and (found := figure_of(each))), {})


def test_numbers_are_counted_in_wan_and_yi():
    shown = [number(value) for value in (0, 86.4, 12_345, 123_456, 2_864_000.4, 312_000_000, float("nan"))]
    assert shown == ["0", "86.4", "12,345", "12.35万", "286.4万", "3.12亿", "—"]


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=40))
def test_a_value_axis_holds_all_values_and_few_ticks(values):
    axis = value_axis(np.array(values))
    low, high = axis["range"]
    assert low == 0
    assert max(values) <= high
    assert 1 <= len(axis["tickvals"]) <= 7
    assert len(axis["tickvals"]) == len(axis["ticktext"])


def test_upright_bars_whose_names_do_not_fit_lie_down():
    few = drawn(Bars(["清源街道", "云桥街道"], {"小区": np.array([3, 4])}, "个"))
    many = drawn(Bars([f"第{i}社区居委会" for i in range(14)], {"小区": np.arange(14)}, "个"))
    assert figure_of(few)["layout"]["xaxis"]["ticktext"] == ["清源街道", "云桥街道"]
    assert figure_of(many) == {}
    assert "第13社区居委会" in text_of(many)


def test_arrays_travel_as_bytes():
    series = np.array([1.5, np.nan, 3.0])
    times = [datetime(2026, 11, 21, 16 + i, tzinfo=UTC) for i in range(3)]
    trace = figure_of(drawn(Trend(times, {"量": series}, "kg")))["data"][0]
    assert np.array_equal(np.frombuffer(base64.b64decode(trace["y"]["bdata"]), "<f8"), series, equal_nan=True)


def test_times_are_those_of_shanghai():
    times = [datetime(2026, 11, 21, 17, tzinfo=UTC) + timedelta(hours=i) for i in range(2)]
    trace = figure_of(drawn(Trend(times, {"量": np.array([1, 2])})))["data"][0]
    assert trace["x"] == ["2026-11-22T01:00:00", "2026-11-22T02:00:00"]


def test_a_ring_tells_its_total_and_shares():
    text = text_of(drawn(Ring(["可回收物", "其他垃圾"], np.array([25, 75]), "吨", ["recyclable", "residual"])))
    assert "100 吨" in text
    assert "25.0%" in text


def test_text_stays_text_and_foreign_pictures_are_left_out():
    row = Row(["<script>alert(1)</script>"], "https://elsewhere.example/x.png", tone="critical")
    body = to_json(draw(Rows(["名称"], [row]))).decode()
    assert "elsewhere" not in body
    assert '"children":"<script>alert(1)</script>"' in body
    assert "//evil" not in to_json(draw(Rows(["名称"], [Row(["a"], "//evil.example/x.png")]))).decode()


@pytest.mark.parametrize("content", [Rows(["a"], []), Ring([], np.array([])), Figures([]), Bars([], {}), Trend([], {})])
def test_nothing_says_so(content):
    assert "暂无数据" in text_of(drawn(content))


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="kinds of content"):
        draw("<b>hello</b>")


def test_headline_figures_keep_ready_text():
    assert "3 / 5 座" in text_of(drawn(Figures([Figure("在线", "3 / 5", " 座")]))).replace("  ", " ")


@pytest.mark.parametrize(
    ("value", "before", "unit", "better", "shown", "news"),
    [
        (112, 100, "起", "less", "环比 ▲ 12.0%", "bad"),
        (88, 100, "起", "less", "环比 ▼ 12.0%", "good"),
        (112, 100, "起", "more", "环比 ▲ 12.0%", "good"),
        (112, 100, "起", "", "环比 ▲ 12.0%", "plain"),
        (94.7, 92.4, "%", "more", "环比 ▲ 2.3百分点", "good"),
        (1200, 100, "起", "less", "环比 ▲ 11倍", "bad"),
        (7, 7, "起", "less", "环比 持平", "plain"),
        (7, 0, "起", "less", "环比 —", "plain"),
        (0, 7, "起", "less", "环比 ▼ 100.0%", "good"),
    ],
)
def test_a_figure_tells_its_way_and_whether_that_is_good(value, before, unit, better, shown, news):
    body = to_json(draw(Figures([Figure("预警", value, unit, before=before, better=better)]))).decode()
    assert shown in text_of(orjson.loads(body))
    assert f"change change-{news}" in body
    assert "同比" not in body


def test_both_comparisons_stand_on_one_card_and_nothing_has_none():
    text = text_of(drawn(Figures([Figure("预警", 5, "起", before=4, year_before=10), Figure("率", "—", "%")])))
    assert "环比" in text and "同比" in text
    assert "— %" not in text and "—%" not in text


def test_what_opens_its_records_says_by_which_key():
    times = [datetime(2026, 11, 21 + i, 16, tzinfo=UTC) for i in range(2)]
    keyed = {
        "figure": Figures([Figure("预警", 5, key="all")]),
        "ring": Ring(["甲"], np.array([1]), keys=["a"]),
        "lying": Bars(["甲"], {"量": np.array([1])}, horizontal=True, keys=["33/1"]),
    }
    keys = {"figure": "all", "ring": "a", "lying": "33/1"}
    for name, content in keyed.items():
        assert f'"data-drill":"{keys[name]}"' in to_json(draw(content, drills=True)).decode()
        assert "data-drill" not in to_json(draw(content)).decode()
    upright = orjson.loads(to_json(draw(Bars(["甲"], {"量": np.array([1])}), drills=True)))
    assert figure_of(upright)["layout"]["meta"] == {"drill": ["甲"]}
    trend = orjson.loads(to_json(draw(Trend(times, {"量": np.array([1, 2])}), drills=True)))
    assert figure_of(trend)["layout"]["meta"]["drill"][1] == "2026-11-22T16:00:00+00:00/2026-11-23T16:00:00+00:00"


def test_a_figure_of_a_plugin_takes_the_style_and_is_not_changed():
    own = go.Figure(go.Scatterpolar(r=[1, 2], theta=["投放", "收集"]), layout={"title": "x"})
    before = own.to_plotly_json()
    layout = figure_of(drawn(Chart(own)))["layout"]
    assert layout["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
    assert layout["margin"]["l"] > 40
    assert own.to_plotly_json() == before
