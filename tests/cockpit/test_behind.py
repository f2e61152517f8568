"""Periods, the records behind figures and what is taken away, as the server gives them, also when it cannot."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime

import numpy as np
import plotly.graph_objects as go
import pytest
from python_calamine import CalamineWorkbook

from backend.plugin_api import LOCAL_ZONE, periods
from backend.plugin_api.panels import Bars, Chart, Figure, Figures, Ring, Row, Rows, Trend
from dash_cockpit import feeds
from dash_cockpit.exports import workbook
from dash_cockpit.sheets import sheet_of

DATA = "/cockpit/data"


@pytest.fixture
def clock(monkeypatch):
    """Return what sets the time in Shanghai."""

    def set_clock(*parts: int) -> None:
        now = datetime(*parts, tzinfo=LOCAL_ZONE).astimezone(UTC)
        monkeypatch.setattr(periods, "utcnow", lambda: now)

    set_clock(2026, 11, 22, 17, 20)
    return set_clock


def cells(body: bytes) -> list[list[object]]:
    """Return the lines of a workbook's one sheet."""
    return CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()


def test_each_period_is_a_read_of_its_own_and_many_viewers_share_it(client_of, platform, clock):
    client = client_of("chief")
    texts = {
        query: client.get(f"{DATA}/panels/odd.period?{query}").text
        for query in ("", "period=today", "period=year", "period=range&since=2026-10-01&until=2026-10-31", "period=x")
    }
    assert "2026年11月1日至22日" in texts[""] and texts["period=x"] == texts[""]
    assert "2026年11月22日" in texts["period=today"] and "2026年1月1日至11月22日" in texts["period=year"]
    assert "2026年10月1日至31日" in texts["period=range&since=2026-10-01&until=2026-10-31"]
    assert platform.reads["period"] == 4


def test_what_is_of_now_is_read_once_for_all_periods(client_of, platform, clock):
    client = client_of("chief")
    assert len({client.get(f"{DATA}/panels/odd.now?period={name}").text for name in ("today", "month", "year")}) == 1
    assert platform.reads["now"] == 1


def test_midnight_moves_today_and_a_store_that_is_down_leaves_yesterday_with_its_age(client_of, platform, clock):
    client = client_of("chief")
    before = client.get(f"{DATA}/panels/odd.fine_period?period=today")
    assert "2026年11月22日" in before.text
    clock(2026, 11, 23, 0, 0, 5)
    platform.down = True
    time.sleep(1.1)
    stale = client.get(f"{DATA}/panels/odd.fine_period?period=today")
    assert (stale.headers["X-Cockpit-State"], stale.data) == ("stale", before.data)
    assert int(stale.headers["Age"]) >= 1
    platform.down = False
    time.sleep(1.1)
    assert "2026年11月23日" in client.get(f"{DATA}/panels/odd.fine_period?period=today").text


def test_the_records_behind_a_key_are_those_of_the_period_and_of_the_area(client_of, platform, clock):
    client = client_of("street")
    found = client.get(f"{DATA}/panels/base_info.compounds/rows?key=云桥街道&period=today").json
    assert (found["count"], found["more"]) == (12, False)
    period, key = platform.asked[-1]
    assert (period.name, key) == ("today", "云桥街道")


def test_a_point_of_a_trend_is_its_span_of_time_within_the_period(client_of, platform, clock):
    client = client_of("chief")
    span = "2026-11-20T00:00:00+08:00/2026-11-21T00:00:00+08:00"
    assert client.get(f"{DATA}/panels/evidence.hours/rows", query_string={"key": span}).status_code == 200
    period, key = platform.asked[-1]
    assert (period.days, key) == ("2026年11月20日", "")
    outside = "2020-11-20T00:00:00+08:00/2020-11-21T00:00:00+08:00"
    for key in (outside, "2026-11-20/2026-11-21", "a/b", "x" * 500):
        client.get(f"{DATA}/panels/evidence.hours/rows", query_string={"key": key})
        assert platform.asked[-1][0].name == "month"
        assert platform.asked[-1][1] == key[:200]


def test_no_more_than_two_hundred_rows_come_and_that_is_told(client_of):
    client = client_of("chief")
    while (answer := client.get(f"{DATA}/panels/base_info.compounds/rows?key=many")).status_code != 200:
        time.sleep(0.1)  # a busy machine draws so many later than this app waits
    assert (answer.json["count"], answer.json["more"]) == (200, True)


def test_rows_go_with_the_permission_of_their_panel(client_of):
    assert client_of("clerk").get(f"{DATA}/panels/evidence.hours/rows").status_code == 404
    assert client_of("clerk").get(f"{DATA}/panels/evidence.hours/export").status_code == 404
    assert client_of("chief").get(f"{DATA}/panels/evidence.orders/rows").status_code == 404
    for path in ("panels/evidence.hours/rows", "panels/evidence.hours/export"):
        assert client_of("").get(f"{DATA}/{path}").status_code == 401
    assert client_of("").post(f"{DATA}/taken?as=png&panel=evidence.hours").status_code == 401


def test_rows_that_fail_are_counted_and_the_last_good_ones_stay_with_their_age(client_of, platform, monkeypatch):
    monkeypatch.setattr(feeds, "ROWS_FRESH_SECONDS", 0.3)
    client = client_of("chief")
    assert client.get(f"{DATA}/panels/evidence.hours/rows?key=broken").status_code == 503
    assert platform.faults == [("evidence", "rows of evidence.hours", "The vendor made another mistake.")]
    good = client.get(f"{DATA}/panels/evidence.hours/rows?key=a")
    platform.down = True
    time.sleep(0.4)
    stale = client.get(f"{DATA}/panels/evidence.hours/rows?key=a")
    assert (stale.headers["X-Cockpit-State"], stale.data) == ("stale", good.data)
    assert client.get(f"{DATA}/panels/evidence.hours/rows?key=b").status_code == 503


def test_a_workbook_says_what_the_screen_says_and_of_when_it_is(client_of, platform, clock):
    client = client_of("chief")
    client.get(f"{DATA}/panels/odd.fine_period?period=today")
    platform.down = True
    answer = client.get(f"{DATA}/panels/odd.fine_period/export?period=today")
    assert answer.status_code == 200
    lines = cells(answer.data)
    facts = {line[0]: line[1] for line in lines[1:6]}
    assert lines[0][0] == "今日"
    assert (facts["区域"], facts["时段"], facts["导出人"]) == ("清序区", "今日（2026年11月22日）", "陈志远")
    assert lines[7][:3] == ["指标", "数值", "单位"] and lines[8][:2] == ["today", "2026年11月22日"]
    assert platform.taken == []
    assert client.get(f"{DATA}/panels/odd.broken/export").status_code == 503


def test_lists_that_leave_are_recorded(client_of, platform, clock):
    client = client_of("chief")
    lines = cells(client.get(f"{DATA}/panels/evidence.newest/export").data)
    assert lines[7] == ["投放点", "类型", "时间"] and len(lines) == 8 + 12
    rows = cells(client.get(f"{DATA}/panels/evidence.hours/export?key=a").data)
    assert rows[0][0] == "违规投放时段 明细" and len(rows) == 8 + 12
    client.get(f"{DATA}/panels/base_info.compounds/export")
    told = [(name, area, detail["rows"]) for _, name, area, detail in platform.taken]
    assert told == [("evidence.newest", "339999", 12), ("evidence.hours", "339999", 12)]


def test_pictures_and_prints_with_lists_on_them_are_recorded(client_of, platform):
    client = client_of("chief")
    page = "theme=overview&panel=base_info.compounds&panel=evidence.newest"
    assert client.post(f"{DATA}/taken?as=print&{page}").status_code == 204
    assert client.post(f"{DATA}/taken?as=png&panel=base_info.compounds").status_code == 204
    assert client.post(f"{DATA}/taken?as=fax&{page}").status_code == 400
    assert client.post(f"{DATA}/taken?as=png&panel=no.such").status_code == 404
    [(who, theme, area, detail)] = platform.taken
    assert (who, theme, area, detail["as"], detail["panels"]) == (
        "陈志远", "overview", "339999", "print", ["evidence.newest"],
    )  # fmt: skip


def test_every_kind_of_content_becomes_numbers_and_texts():
    hours = [datetime(2026, 11, 21, 17 + i, tzinfo=UTC) for i in range(2)]
    heat = Chart(go.Figure(go.Heatmap(z=[[1, 2], [3, 4]], x=["a", "b"], y=["周一", "周二"])))
    radar = Chart(go.Figure(go.Scatterpolar(r=[1, 2], theta=["投放", "收集"], name="得分")))
    contents = {
        "figures": Figures([Figure("预警", 12, "起", before=10, year_before=0), Figure("率", 94.7, "%", before=90.0)]),
        "bars": Bars(["甲", "=1+1"], {"好": np.array([1, 2]), "坏": np.array([3, np.nan])}, "个"),
        "ring": Ring(["甲", "乙"], np.array([1, 3]), "吨"),
        "trend": Trend(hours, {"量": np.array([1.5, 2])}),
        "rows": Rows(["名称"], [Row(["=cmd|' /C calc'!A0"])], more=True),
        "heat": heat,
        "radar": radar,
    }
    tables = {
        name: cells(workbook("题", [("区域", "甲")], sheet_of(content)))[3:] for name, content in contents.items()
    }
    assert tables["figures"][1] == ["预警", 12.0, "起", 10.0, 0.2, 0.0, ""]
    assert tables["figures"][2][:5] == ["率", 94.7, "%", 90.0, ""]
    assert tables["bars"][1:] == [["甲", 1.0, 3.0, 4.0], ["=1+1", 2.0, "", 2.0]]
    assert tables["ring"][1:] == [["甲", 1.0, 0.25], ["乙", 3.0, 0.75]]
    assert tables["trend"][1] == [datetime(2026, 11, 22, 1, 0), 1.5]
    assert tables["rows"] == [["名称", ""], ["=cmd|' /C calc'!A0", ""], ["", ""], ["仅列出最近的记录。", ""]]
    assert tables["heat"] == [["", "a", "b"], ["周一", 1.0, 2.0], ["周二", 3.0, 4.0]]
    assert tables["radar"][1] == ["得分", "投放", 1.0]
