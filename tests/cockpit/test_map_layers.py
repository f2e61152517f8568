"""What the map is fed with: one snapshot of moving things for all, figures by area, cards in parts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask

from backend.plugin_api.maps import AreaValues, MapLayer, Point
from dash_cockpit.map import layer_json
from tests.cockpit import fake, world

DATA = "/cockpit/data"
VIEWERS = 200


@pytest.fixture
def here(platform: fake.Platform) -> world.World:
    """Return what is going on."""
    return world.World()


@pytest.fixture
def app(platform: fake.Platform, here: world.World) -> Flask:
    """Return the app of the furnished platform."""
    return world.application(platform, here, patience_seconds=1.0)


def get(app: Flask, address: str, who: str = "chief", method: str = "GET", **query: str):
    """Return the answer of a feed."""
    client = app.test_client()
    client.set_cookie("who", who)
    return client.open(f"{DATA}{address}", method=method, query_string=query)


def test_hundreds_of_viewers_share_one_snapshot_of_300_vehicles_a_tick(app, here):
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: get(app, "/layers/base_info.w_vehicles"), range(VIEWERS)))
    ticks = (time.monotonic() - began) / 1.9 + 1
    assert {answer.status_code for answer in answers} == {200}
    assert here.reads["vehicles"] <= ticks
    assert len({answer.headers["ETag"] for answer in answers}) == here.reads["vehicles"]
    [first, *_] = vehicles = answers[-1].json
    assert len(vehicles) == world.VEHICLES
    assert set(first) == {"key", "lon", "lat", "label", "kind", "tone", "heading"}
    again = app.test_client()
    again.set_cookie("who", "chief")
    seen = {"If-None-Match": answers[-1].headers["ETag"]}
    assert again.get(f"{DATA}/layers/base_info.w_vehicles", headers=seen).status_code in (200, 304)


def test_areas_are_coloured_by_figures_and_heat_is_sent_compact(app):
    figures = get(app, "/layers/base_info.w_count").json
    assert figures["unit"] == "起" and figures["title"] == "违规数" and figures["others"] is None
    assert set(figures["values"]) == {street.path for street in fake.STREETS}
    heat = get(app, "/layers/base_info.w_heat").json
    assert len(heat) == len(fake.POINTS) and all(len(each) == 3 for each in heat)


def test_a_place_that_is_none_does_not_reach_the_map_and_wrong_content_is_a_fault():
    points = MapLayer(name="a.b", title="点", theme="t", permission="p", show=lambda view: [])
    good = Point("1", 120.1234567, 30.2, "名", "点", details=(("a", "b"),), picture="/p.png")
    odd = [replace(good, lon=lon) for lon in (float("nan"), float("inf"), 999.0)]
    assert layer_json(points, [good, *odd]).count(b'"key"') == 1
    assert b'"lon":120.123457' in layer_json(points, [good])
    assert b"details" not in layer_json(replace(points, record="a.c"), [good]), "a card tells the rest"
    areas = replace(points, style="areas")
    assert b'{"x":1.0}' in layer_json(areas, AreaValues({"x": 1, "y": float("nan")}))
    for layer, content in ((areas, [good]), (points, AreaValues({}))):
        with pytest.raises(TypeError):
            layer_json(layer, content)


def test_what_is_below_an_area_is_told_even_where_nothing_was_drawn(app, here):
    here.undrawn = True
    area = get(app, "/area").json
    assert area["features"] == []
    assert [each["name"] for each in area["below"]] == [street.name for street in fake.STREETS]


def test_a_card_comes_in_parts_and_a_broken_one_harms_no_other(app, here, platform):
    [found, *_] = get(app, "/find", q="花园").json["groups"][0]["items"]
    card = get(app, "/card/base_info.point", key=found["key"]).json
    assert card["subject"]["title"] == found["title"]
    assert [each["title"] for each in card["parts"]] == ["基本信息", "无话可说", "近 30 日违规"]
    here.broken_part = True
    assert get(app, "/card/base_info.point/evidence.near", key=found["key"]).json == {"failed": True}
    assert platform.faults[-1][:2] == ("evidence", "card evidence.near")
    facts = get(app, "/card/base_info.point/base_info.facts", key=found["key"]).json["section"]
    assert facts["facts"] == [["地址", "文澜路 8 号"], ["物业", "清和物业服务有限公司"]]
    assert facts["links"] == [["台账", "/base_info"]], "no link leads elsewhere"
    assert get(app, "/card/base_info.point/odd.none", key=found["key"]).json["section"] is None


def test_cards_and_search_stay_inside_the_viewers_area_and_permissions(app, here):
    mine = fake.STREETS[1].path
    everything = get(app, "/find", q="号投放点").json["groups"][0]["items"]
    keys = {each["key"] for each in get(app, "/find", "street", q="号投放点").json["groups"][0]["items"]}
    assert keys and all(key.startswith(mine) for key in keys)
    [other] = [each["key"] for each in everything if not each["key"].startswith(mine)][:1]
    assert get(app, "/card/base_info.point", "street", key=other).status_code == 404
    assert get(app, "/card/evidence.violation", "clerk", key="violation-1").status_code == 404
    parts = get(app, "/card/base_info.point", "clerk", key=other).json["parts"]
    assert "evidence.near" not in {each["name"] for each in parts}
    dial = "/card/base_info.point/base_info.facts/dial"
    assert get(app, dial, "clerk", "POST", key=other, person="contact").status_code == 403
    assert get(app, dial, "dialler", "POST", key=other, person="contact").json == {"phone": "13812345678"}
    assert here.looks == [("赵敏", other, "contact")]
