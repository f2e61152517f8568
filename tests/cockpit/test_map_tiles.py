"""Tiles of a foreign service through the server: the key stays here, the disk is bounded, the map goes on without."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from flask.testing import FlaskClient

from backend.settings import Settings, SettingsError
from dash_cockpit import tiles
from dash_cockpit.tiles import NOTHING, Background, TileService
from tests.cockpit import fake, world

KEY = "s3cret-key"
PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 4000


class Upstream:
    """A tile server: what it was asked, and how it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda ask: self.give(ask, 200, PNG)
        upstream = self

        class Ask(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                upstream.asked.append(self.path)
                upstream.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Ask)
        Thread(target=self.server.serve_forever, daemon=True).start()
        self.template = f"http://127.0.0.1:{self.server.server_port}/vec/{{z}}/{{y}}/{{x}}?tk={{key}}"

    def give(self, ask: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer."""
        ask.send_response(status)
        for name, value in headers.items():
            ask.send_header(name, value)
        ask.send_header("Content-Length", str(len(body)))
        ask.end_headers()
        ask.wfile.write(body)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Start a tile server."""
    made = Upstream()
    yield made
    made.server.shutdown()


def service(upstream: Upstream, folder: Path, **options: float) -> TileService:
    """Return the service of one layer."""
    limits = {"most_bytes": 10_000_000, **options}
    return TileService(
        [Background("vec", "电子地图", ("vec",))], {"vec": upstream.template}, key=KEY, folder=folder, **limits
    )


@pytest.fixture
def client(upstream: Upstream, tmp_path: Path) -> FlaskClient:
    """Return a client of a cockpit with tiles, logged in."""
    made = world.World(tiles=service(upstream, tmp_path / "tiles"))
    client = world.application(fake.Platform(), made).test_client()
    client.set_cookie("who", "chief")
    return client


def test_a_tile_is_fetched_once_and_kept_on_disk(client, upstream, tmp_path):
    for _ in range(3):
        answer = client.get("/cockpit/tiles/vec/12/3415/1689")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/png", PNG)
    assert upstream.asked == [f"/vec/12/1689/3415?tk={KEY}"]
    assert "max-age=86400" in answer.headers["Cache-Control"]
    [kept] = [path for path in (tmp_path / "tiles").rglob("*") if path.is_file()]
    assert KEY not in str(kept)
    again = service(upstream, tmp_path / "tiles")
    assert again.tile("vec", 12, 3415, 1689) == PNG
    assert len(upstream.asked) == 1, "another process finds it on disk"


def test_only_whole_numbers_in_range_of_a_known_layer_are_asked_for(client, upstream):
    for place in (
        *("vec/19/1/1", "vec/2/4/0", "vec/2/0/4", "vec/-1/0/0", "vec/2/0/1.5", "vec/2/0/x", "vec/2/0/" + "9" * 20),
        *("img/2/0/0", "..%2f/2/0/0", "http:%2f%2fevil/2/0/0"),
    ):
        answer = client.get(f"/cockpit/tiles/{place}")
        assert upstream.asked == []
        assert answer.status_code == 404 or answer.mimetype == "text/html", "Dash answers what is no tile with its page"


def test_nobody_gets_tiles_without_a_login(client, upstream):
    client.delete_cookie("who")
    assert client.get("/cockpit/tiles/vec/2/0/0").status_code == 401
    assert upstream.asked == []


def test_the_key_is_in_no_page_plan_or_log(client, upstream, capsys, caplog):
    upstream.answer = lambda ask: upstream.give(ask, 403, b"tk=" + KEY.encode())
    assert client.get("/cockpit/tiles/vec/2/0/0").data == NOTHING
    said = client.get("/cockpit/").text + client.get("/cockpit/_dash-layout").text
    assert "电子地图" in said.encode().decode("unicode_escape", "ignore") or "vec" in said
    output = capsys.readouterr()
    for text in (said, output.out, output.err, caplog.text):
        assert KEY not in text and str(upstream.server.server_port) not in text


def test_a_service_that_fails_is_left_alone_for_a_while_and_old_tiles_still_show(upstream, tmp_path, monkeypatch):
    made = service(upstream, tmp_path, days=0.0)
    assert made.tile("vec", 3, 1, 1) == PNG
    upstream.answer = lambda ask: upstream.give(ask, 500)
    assert made.tile("vec", 3, 1, 1) == PNG, "an old one is better than none"
    asked = len(upstream.asked)
    assert [made.tile("vec", 3, x, 2) for x in range(8)] == [None] * 8
    assert len(upstream.asked) == asked, "it rests"
    monkeypatch.setattr(tiles, "REST_SECONDS", 0.05)
    upstream.answer = lambda ask: upstream.give(ask, 200, PNG)
    made._resting_until.clear()
    assert made.tile("vec", 3, 2, 2) == PNG


@pytest.mark.parametrize("kind", ["html", "huge", "redirect", "missing"])
def test_what_is_no_tile_is_neither_shown_nor_kept(upstream, tmp_path, kind):
    elsewhere = Upstream()
    answers = {
        "html": lambda ask: upstream.give(ask, 200, b"<html>quota</html>"),
        "huge": lambda ask: upstream.give(ask, 200, PNG * 400),
        "redirect": lambda ask: upstream.give(ask, 302, Location=elsewhere.template.split("?")[0]),
        "missing": lambda ask: upstream.give(ask, 404),
    }
    upstream.answer = answers[kind]
    assert service(upstream, tmp_path).tile("vec", 3, 1, 1) is None
    assert elsewhere.asked == [], "no redirect is followed"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    elsewhere.server.shutdown()


def test_a_silent_service_holds_nobody_up(upstream, tmp_path):
    def sleep(ask: BaseHTTPRequestHandler) -> None:
        time.sleep(1.5)

    upstream.answer = sleep
    made = service(upstream, tmp_path, answer_seconds=0.3)
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda x: made.tile("vec", 5, x % 16, 3), range(48)))
    assert found == [None] * 48
    assert len(upstream.asked) <= tiles.AT_ONCE
    assert time.monotonic() - began < 8


def test_many_who_ask_for_one_tile_fetch_it_once(upstream, tmp_path):
    made = service(upstream, tmp_path)
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: made.tile("vec", 5, 1, 3), range(64))) == {PNG}
    assert len(upstream.asked) == 1


def test_the_disk_is_bounded_and_what_is_used_stays(upstream, tmp_path):
    made = service(upstream, tmp_path, most_bytes=100_000)
    used = lambda: sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())  # noqa: E731
    for x in range(120):
        assert made.tile("vec", 7, x, 3) == PNG
        assert used() <= 130_000
    until = time.monotonic() + 5
    while used() > 100_000 and time.monotonic() < until:
        time.sleep(0.05)
    assert used() <= 100_000
    asked = len(upstream.asked)
    assert made.tile("vec", 7, 119, 3) == PNG
    assert len(upstream.asked) == asked, "the newest is still there"


def test_a_disk_that_takes_nothing_costs_the_cache_and_not_the_map(upstream, tmp_path):
    folder = tmp_path / "tiles"
    folder.write_text("a file where the folder should be")
    assert service(upstream, folder).tile("vec", 3, 1, 1) == PNG


@pytest.mark.parametrize(
    ("value", "layers"),
    [
        ("", []),
        ("vec img", [("电子地图", ("vec", "cva")), ("卫星影像", ("img", "cia"))]),
        ("政务底图=https://t{s}.example.gov.cn/{z}/{x}/{y}.png|https://example.gov.cn/a/{z}/{y}/{x}?tk={key}",
         [("政务底图", ("own0-0", "own0-1"))]),
        ("http://10.0.0.1/{z}/{x}/{y}", [("底图", ("own0-0",))]),
    ],
)  # fmt: skip
def test_backgrounds_are_a_setting(value, layers, monkeypatch, tmp_path):
    settings = Settings(map_tiles=value, map_tile_key=KEY, data_dir=tmp_path).checked()
    monkeypatch.setattr(tiles, "current_settings", lambda: settings)
    made = tiles.tile_service()
    assert [(each.title, each.layers) for each in made.backgrounds] == layers


@pytest.mark.parametrize(
    "value",
    ["vec2", "ftp://x/{z}/{x}/{y}", "https://x/{z}/{x}", "file:///etc/{z}{x}{y}", "名=https://x/{z}/{x}/{y}|oops"],
)
def test_a_background_that_cannot_be_is_refused_at_the_start(value):
    with pytest.raises(SettingsError, match="QINGXU_MAP_TILES"):
        Settings(map_tiles=value, map_tile_key=KEY).checked()
    with pytest.raises(SettingsError, match="QINGXU_MAP_TILE_KEY"):
        Settings(map_tiles="vec").checked()


logging.getLogger("werkzeug").setLevel(logging.ERROR)
