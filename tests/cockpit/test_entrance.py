"""Who gets in, and what the browser is told to keep and to forbid."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
from flask import Flask

from dash_cockpit import mount, warm
from tests.cockpit import fake


def test_a_page_leads_nobody_to_the_login_and_back(client_of):
    answer = client_of("").get("/cockpit/?theme=alerts&area=339999")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/cockpit/%3Ftheme%3Dalerts%26area%3D339999"


@pytest.mark.parametrize(
    "path",
    ["_dash-layout", "_dash-dependencies", "data/panels/base_info.figures", "data/area", "data/layers/evidence.live"],
)
def test_a_script_of_nobody_gets_401(client_of, path):
    assert client_of("").get(f"/cockpit/{path}").status_code == 401


def test_a_callback_of_nobody_gets_401(client_of):
    assert client_of("").post("/cockpit/_dash-update-component", json={}).status_code == 401


def test_bundles_are_open_compressed_and_kept_for_good(client_of):
    page = client_of("chief").get("/cockpit/").text
    bundle = next(src for src in re.findall(r'src="([^"]+)"', page) if "dash_leaflet" in src)
    nobody = client_of("")
    packed = nobody.get(bundle, headers={"Accept-Encoding": "br"})
    plain = nobody.get(bundle, headers={"Accept-Encoding": "identity"})
    assert brotli.decompress(packed.data) == plain.data
    assert "immutable" in packed.headers["Cache-Control"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_an_unnamed_version_of_a_bundle_is_asked_for_anew_but_not_sent_anew(client_of):
    path = "/cockpit/_dash-component-suites/plotly/package_data/plotly.min.js"
    nobody = client_of("")
    first = nobody.get(path, headers={"Accept-Encoding": "br"})
    assert "immutable" not in first.headers["Cache-Control"]
    again = nobody.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""


def test_data_can_not_pose_as_a_bundle(client_of):
    path = "/cockpit/data/panels/base_info.figures?m=1"
    answer = client_of("chief").get(path, headers={"Accept-Encoding": "br"})
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert client_of("").get(path, headers={"Accept-Encoding": "br"}).status_code == 401


def test_the_page_forbids_foreign_scripts(client_of):
    policy = client_of("chief").get("/cockpit/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "http" not in policy
    assert "unsafe-eval" not in policy


def test_the_plan_holds_only_what_the_viewer_may_see(client_of):
    clerk = client_of("clerk").get("/cockpit/_dash-layout").text
    chief = client_of("chief").get("/cockpit/_dash-layout").text
    assert "evidence.newest" not in clerk
    assert "evidence.newest" in chief
    assert "预警事件上报" not in clerk
    assert "无人可见" not in chief


def test_after_warming_every_bundle_answers_at_once():
    app = Flask("cold")
    mount(app, fake.build(fake.Platform()))
    warm(app)
    client = app.test_client()
    client.set_cookie("who", "chief")
    bundles = re.findall(r'(?:src|href)="([^"]+\.js[^"]*)"', client.get("/cockpit/").text)

    def status(path: str) -> int:
        return app.test_client().get(path).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(status, bundles * 2)) == {200}


def test_the_rest_of_the_app_is_left_alone():
    app = Flask("other")
    mount(app, fake.build(fake.Platform()))
    app.add_url_rule("/cockpitless", view_func=lambda: "x" * 5000)
    answer = app.test_client().get("/cockpitless", headers={"Accept-Encoding": "br"})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)
