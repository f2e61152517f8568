"""The host with the plugins that must be refused, beside a small platform of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from backend.identity import Permission
from backend.plugin_api.registry import Registry
from backend.plugins_host import Folder, load_plugins
from backend.settings import Settings

BROKEN = Folder(Path(__file__).parent.parent / "plugins_broken", "tests.plugins_broken")
CORE = Registry(permissions=(Permission("platform:health", "查看系统运行状况"),))


@pytest.fixture
def app() -> Flask:
    """Return a platform with one address, and a page that answers whatever nobody else does."""
    app = Flask("platform")
    app.add_url_rule("/api/v1/sessions", "login", lambda: {"login": "platform"}, methods=["POST"])
    app.add_url_rule("/<path:anything>", "lost", lambda anything: ("lost", 404))
    return app


@pytest.fixture
def load(app: Flask) -> Callable[..., Registry]:
    """Return a function that loads the plugins of a folder, `plugins_broken` unless another is given."""

    def run(*folders: Folder, core: Registry = CORE, with_installed: bool = False, **settings: object) -> Registry:
        return load_plugins(
            Settings(**{"slow_hook_seconds": 0.2, **settings}),
            core=core,
            url_map=app.url_map,
            folders=folders or (BROKEN,),
            with_installed=with_installed,
        )

    return run
