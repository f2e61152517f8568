"""What the standard pages still wait for: figures that a module brings, told until it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backend.plugin_api.panels import Row, Rows
from dash_cockpit.draw import draw
from dash_cockpit.feeds import to_json
from dash_cockpit.sources import CockpitSources

TITLE = "待接入数据"


@dataclass(frozen=True)
class Awaited:
    """Figures that stand on a page as soon as `plugin`, called `module` by people, registers a panel there."""

    theme: str
    plugin: str
    module: str
    figures: tuple[str, ...]


AWAITED = (
    Awaited("vehicles", "vehicles", "车辆收运监管", ("车辆位置", "行驶轨迹", "收运记录", "收运异常", "车载视频")),
    Awaited("recycling", "recycling", "再生资源管理", ("回收重量", "回收金额", "回收笔数", "网点运行")),
    Awaited("effectiveness", "effectiveness", "垃圾分类成效", ("各类垃圾重量", "易腐垃圾占比", "设施使用率")),
    Awaited("effectiveness", "ranking", "小区排名分析", ("考核扣分",)),
    Awaited("effectiveness", "special_booking", "特殊垃圾预约", ("装修、大件、园林清运量",)),
    Awaited("effectiveness", "hazardous_booking", "有害垃圾预约", ("有害垃圾收运量",)),
    Awaited("effectiveness", "carbon", "碳减排分析", ("碳减排量",)),
    Awaited("effectiveness", "source_reduction", "源头减量分析", ("源头减量",)),
)


def cards(sources: CockpitSources, themes: Sequence[str]) -> dict[str, tuple[str, Any]]:
    """Return the card of each page that waits for something: its name as a panel, and the drawn list."""
    there = {(theme, each.plugin) for each in sources.panels for theme in each.record.themes}
    missing = [each for each in AWAITED if (each.theme, each.plugin) not in there]
    rows = {
        theme: [
            Row(texts=(figure, each.module, "暂无数据"))
            for each in missing
            if each.theme == theme
            for figure in each.figures
        ]
        for theme in themes
    }
    return {
        theme: (f"awaited.{theme}", plain(Rows(columns=("指标", "由此模块接入", "情况"), rows=found)))
        for theme, found in rows.items()
        if found
    }


def plain(rows: Rows) -> Any:
    """Return a drawn list as it lies in the plan."""
    return orjson.loads(to_json(draw(rows)))
