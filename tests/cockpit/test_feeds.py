"""What panels, layers and boundaries answer: one read for many, age and state, scope, isolation."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.cockpit import fake

STREET = fake.STREETS[1].path


def test_many_viewers_cost_one_read(client_of, platform):
    def look(_: int) -> int:
        return client_of("chief").get("/cockpit/data/panels/base_info.compounds").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(look, range(24))) == {200}
    assert platform.reads["compounds"] == 1


def test_another_area_is_another_read_and_another_figure(client_of):
    client = client_of("chief")
    whole = client.get("/cockpit/data/panels/base_info.figures").text
    part = client.get(f"/cockpit/data/panels/base_info.figures?area={STREET}").text
    assert '"160"' in whole
    assert '"42"' in part


def test_a_viewer_sees_no_further_than_home(client_of):
    client = client_of("street")
    for asked in ("", "339999", fake.STREETS[0].path, "nowhere"):
        assert '"42"' in client.get(f"/cockpit/data/panels/base_info.figures?area={asked}").text
        assert client.get(f"/cockpit/data/area?area={asked}").json["trail"] == [{"path": STREET, "name": "云桥街道"}]


def test_what_the_viewer_may_not_see_is_not_there(client_of):
    client = client_of("clerk")
    assert client.get("/cockpit/data/panels/evidence.newest").status_code == 404
    assert client.get("/cockpit/data/layers/evidence.live").status_code == 404
    assert client.get("/cockpit/data/panels/no.such").status_code == 404


def test_unchanged_content_is_not_sent_again_but_its_age_is(client_of):
    client = client_of("chief")
    first = client.get("/cockpit/data/panels/evidence.waste")
    again = client.get("/cockpit/data/panels/evidence.waste", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["X-Cockpit-State"] == "fresh"
    assert int(again.headers["Age"]) >= 0


def test_a_broken_panel_shows_its_card_and_is_counted(client_of, platform):
    client = client_of("chief")
    broken = client.get("/cockpit/data/panels/odd.broken")
    assert (broken.status_code, broken.headers["X-Cockpit-State"]) == (200, "failed")
    assert "本面板暂时无法显示" in broken.text
    assert client.get("/cockpit/data/panels/odd.fine").headers["X-Cockpit-State"] == "fresh"
    assert platform.faults == [("odd", "panel odd.broken", "The vendor made a mistake.")]


def test_a_slow_panel_is_not_waited_for_and_appears_when_it_is_ready(client_of, platform):
    platform.slow_seconds = 0.8
    client = client_of("chief")
    began = time.monotonic()
    assert client.get("/cockpit/data/panels/odd.slow").headers["X-Cockpit-State"] == "failed"
    assert client.get("/cockpit/data/panels/odd.slow").headers["X-Cockpit-State"] == "failed"
    assert time.monotonic() - began < 0.7
    time.sleep(1.0)
    assert client.get("/cockpit/data/panels/odd.slow").headers["X-Cockpit-State"] == "fresh"
    assert platform.reads["slow"] == 1
    assert [fault[1] for fault in platform.faults] == ["panel odd.slow"]


def test_the_last_good_figures_outlive_a_failing_store_with_their_age(client_of, platform):
    client = client_of("chief")
    good = client.get("/cockpit/data/panels/odd.fine")
    platform.down = True
    time.sleep(2.1)
    stale = client.get("/cockpit/data/panels/odd.fine")
    assert stale.headers["X-Cockpit-State"] == "stale"
    assert int(stale.headers["Age"]) >= 2
    assert stale.data == good.data
    platform.down = False
    time.sleep(1.1)
    assert client.get("/cockpit/data/panels/odd.fine").headers["X-Cockpit-State"] == "fresh"


def test_a_live_layer_shows_new_things_within_two_seconds(client_of, platform):
    client = client_of("chief")
    before = {point["key"] for point in client.get("/cockpit/data/layers/evidence.live").json}
    platform.violate(50)
    time.sleep(1.6)
    after = {point["key"] for point in client.get("/cockpit/data/layers/evidence.live").json}
    assert after - before == {"violation-50"}


def test_boundaries_tell_what_they_are(client_of):
    client = client_of("chief")
    roles = [each["properties"]["role"] for each in client.get("/cockpit/data/area").json["features"]]
    assert [roles.count(role) for role in ("around", "whole", "part", "detail")] == [0, 1, 4, 24]
    inner = client.get(f"/cockpit/data/area?area={STREET}").json
    roles = [each["properties"]["role"] for each in inner["features"]]
    assert [roles.count(role) for role in ("around", "whole", "part", "detail")] == [3, 1, 6, 42]
    assert [step["name"] for step in inner["trail"]] == ["清序区", "云桥街道"]
