"""The real embedded servers, started once per test process, with one database."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from backend import blobs, storage
from backend import settings as settings_module
from backend.app import create_app, spread
from backend.embedded import start_redis, start_store
from backend.identity import install_roles, keep_areas, know_permissions
from backend.identity.attempts import ensure_attempt_indexes
from backend.plugin_api import registry as registries
from backend.protection import audit, forget_keys
from backend.rollups import recompute_dirty
from backend.settings import Settings
from backend.storage import ensure_indexes
from tests.browser import browser  # noqa: F401 - one browser for all tests of a process
from tests.district import AREAS, District, hash_once
from tests.rollups.exactness import assert_all_exact

# How fast a machine is, or how busy, is nothing that a test of a property may fail at.
# With CI set the examples are the same each time, as what is judged is the change; elsewhere they are always new.
hypothesis_settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
hypothesis_settings.load_profile("any machine")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Start the store and Redis, configure and connect this process; yields the settings."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    with start_store(data_dir / "mongo") as mongo, start_redis(data_dir / "redis") as queue:
        settings = settings_module.configure(
            Settings(
                mode="demo",
                data_dir=data_dir,
                mongodb_url=mongo.url,
                mongodb_database="qingxu_test",
                redis_url=queue.url,
                master_key=base64.b64encode(os.urandom(32)).decode(),
                log_level="WARNING",
            )
        )
        storage.connect(settings.mongodb_url, settings.mongodb_database)
        yield settings
        storage.disconnect()


@pytest.fixture
def clean(store: Settings) -> Settings:
    """Empty the database and the queues before a test."""
    database = storage.database()
    for name in database.list_collection_names():
        database[name].delete_many({})
    redis.Redis.from_url(store.redis_url).flushall()
    # The keys went with the database; other processes of a test make new ones.
    forget_keys()
    return store


@pytest.fixture(scope="session")
def platform_app(store: Settings) -> Iterator[Flask]:
    """Build the real app with the built-in plugins, once; indexes are made, the database is empty."""
    app = create_app(store, with_installed=False)
    app.extensions["registry"] = registry = registries.installed()
    ensure_indexes(registry.documents)
    audit.ensure_indexes()
    blobs.ensure_indexes()
    ensure_attempt_indexes()
    with hash_once():
        yield app


@pytest.fixture(scope="session")
def roles(platform_app: Flask) -> list[dict[str, Any]]:
    """Install the built-in roles once and return them as stored: they are hundreds of writes, always the same."""
    rows = storage.database()["roles"]
    rows.delete_many({})
    install_roles(platform_app.extensions["registry"].permissions)
    return list(rows.find())


@pytest.fixture
def district(platform_app: Flask, roles: list[dict[str, Any]], clean: Settings) -> District:
    """Return a small district on an empty database; people sign in with `district.sign_in(...)`."""
    # Another test of this process may have put up a platform of its own in between.
    settings_module.configure(clean)
    registry = registries.install(platform_app.extensions["registry"])
    spread(registry)
    know_permissions(registry.permissions)
    storage.database()["roles"].insert_many(roles)
    keep_areas(AREAS)
    return District(platform_app, clean)


@pytest.fixture
def exact(district: District) -> Iterator[None]:
    """After what a test did through the API, hold every figure against the records themselves."""
    yield
    recompute_dirty()
    assert_all_exact()
