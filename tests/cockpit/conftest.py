"""A cockpit on a fake platform, in process and behind a real port."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from tests.cockpit import fake


@pytest.fixture
def platform() -> fake.Platform:
    """Return a platform with a dozen violations."""
    platform = fake.Platform()
    for number in range(12, 0, -1):
        platform.violate(number)
    return platform


@pytest.fixture
def client_of(platform: fake.Platform) -> Callable[[str], FlaskClient]:
    """Return a maker of test clients for one warmed app; "" is nobody."""
    app = fake.application(platform, patience_seconds=0.3)

    def make(who: str) -> FlaskClient:
        client = app.test_client()
        if who:
            client.set_cookie("who", who)
        return client

    return make


@pytest.fixture
def base(platform: fake.Platform) -> Iterator[str]:
    """Serve the cockpit on a free port; yields its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, fake.application(platform, patience_seconds=2.5), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
