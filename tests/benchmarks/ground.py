"""The platform on embedded servers with its demo district, for benchmarks to stand on."""

from __future__ import annotations

import base64
import gc
import io
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import xlsxwriter
from flask import Flask

from backend import storage
from backend.app import create_app, prepare
from backend.embedded import start_redis, start_store
from backend.http import columns_of
from backend.identity.demo import DEMO_PASSWORD
from backend.settings import Settings
from plugins.base_info.schemas import CompoundSchema

#: The labels of a compound's columns by field, in the order of the file.
COLUMNS = {column.name: column.label for column in columns_of(CompoundSchema) if not column.fixed}


@contextmanager
def platform() -> Iterator[Settings]:
    """Start the servers and make the demo district; yields the settings, which this process is configured with."""
    with (
        tempfile.TemporaryDirectory() as name,
        start_store(Path(name) / "store") as store,
        start_redis(Path(name) / "redis") as redis,
    ):
        settings = Settings(
            mode="demo",
            data_dir=Path(name),
            mongodb_url=store.url,
            redis_url=redis.url,
            master_key=base64.b64encode(os.urandom(32)).decode(),
            api_rate="1000000/minute",
            session_minutes=120,
            log_level="WARNING",
        )
        prepare(settings, lambda _: None)
        yield settings
        storage.disconnect()


def app_of(settings: Settings) -> Flask:
    """Return the app with the API, in this process, which is then as a web worker is once it has started."""
    app = create_app(settings)
    gc.collect()
    gc.freeze()
    return app


def sign_in(app: Flask, account: str) -> dict[str, str]:
    """Return the headers of a demo account that has signed in."""
    answer = app.test_client().post("/api/v1/sessions", json={"account": account, "password": DEMO_PASSWORD})
    return {"Authorization": f"Bearer {answer.json['access_token']}"}


def communities() -> dict[str, str]:
    """Return the paths of the demo district's communities by code."""
    return {row["code"]: row["path"] for row in storage.database()["areas"].find({"level": "community"})}


def compounds(count: int, letter: str = "B") -> list[dict[str, Any]]:
    """Return made-up compounds as people enter them, spread over the communities and 14 companies."""
    chance, codes = random.Random(letter), sorted(communities())
    return [
        {
            "code": f"{letter}{number:06d}",
            "name": f"测试小区{number}",
            "area_code": chance.choice(codes),
            "address": f"文澜路 {number} 号",
            "longitude": round(chance.uniform(120.0, 120.2), 6),
            "latitude": round(chance.uniform(30.2, 30.3), 6),
            "property_company": f"P{chance.randrange(1, 15):03d}",
            "households": chance.randrange(100, 2000),
            "residents": chance.randrange(300, 5000),
            "contact_name": chance.choice("王李张刘陈") + chance.choice(("芳", "伟", "建国")),
            "contact_phone": f"139{number:08d}",
            "note": "",
        }
        for number in range(count)
    ]


def workbook(rows: list[dict[str, Any]]) -> bytes:
    """Return the rows as the xlsx file that the register imports."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, COLUMNS.values())
        for line, row in enumerate(rows, 1):
            sheet.write_row(line, 0, [row[name] for name in COLUMNS])
    return file.getvalue()


def send_workbook(app: Flask, headers: dict[str, str], file: bytes) -> dict[str, Any]:
    """Import the file, all or nothing, and return the report."""
    data = {"file": (io.BytesIO(file), "小区.xlsx")}
    answer = app.test_client().post("/api/v1/compounds/import?mode=all", headers=headers, data=data)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)
