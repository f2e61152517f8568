"""Something that captures need is away for a while: they wait, and nothing is lost."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import redis

from tests.faults.camera import send
from tests.faults.ground import Ground


def all_is_done(ground: Ground) -> None:
    """Wait until nothing waits any more, and see that all is as promised."""
    ground.wait_until(lambda: ground.waiting() == 0, "all is extracted")
    assert ground.killable.broken_promises() == []


def test_redis_emptied_before_the_delivery(running: Ground) -> None:
    running.kill("vision")
    for _ in range(3):
        assert send(running.web, running.camera.observe()).status == 202
    with redis.Redis.from_url(running.servers["redis"].url) as queues:
        queues.flushall()
    running.start("vision")
    all_is_done(running)


def test_redis_away_during_the_intake(running: Ground) -> None:
    running.kill("redis")
    answer = send(running.web, running.camera.observe(), seconds=15)
    assert (answer.status, answer.body["state"]) == (202, "received")
    running.start("redis")
    all_is_done(running)


def test_store_away_during_the_intake(running: Ground) -> None:
    observation = running.camera.observe()
    objects = kept_objects(running.folder)
    running.kill("store")
    answer = send(running.web, observation)
    assert (answer.status, answer.body["code"]) == (503, "store_unavailable")
    assert re.search("[一-鿿]{4,}.*。", answer.body["detail"])
    assert kept_objects(running.folder) == objects
    running.start("store")
    assert running.database.evidence_captures.count_documents({"event_id": observation.event_id}) == 0
    running.camera.insist(running.web, observation)
    all_is_done(running)


def test_captures_wait_for_missing_models_and_the_health_page_says_why(running: Ground) -> None:
    models = Path(running.settings["QINGXU_FACE_MODELS"])
    away = models.rename(models.with_name("away"))
    running.kill("vision")
    running.start("vision")
    answer = send(running.web, running.camera.observe())
    assert answer.status == 202

    def delivery() -> dict[str, Any]:
        event = running.database.events.find_one({"payload.capture": answer.body["id"], "name": "evidence.captured"})
        assert event is not None
        return dict(event["deliveries"][0])

    running.wait_until(lambda: delivery().get("error"), "the models are missed")
    first = delivery()

    def looked_again() -> bool:
        now = delivery()
        return bool(now["state"] == "waiting" and now["due_at"] > first["due_at"])

    running.wait_until(looked_again, "they are looked for again")
    # Between two looks: while it looks, a delivery counts the attempt that it may turn out not to have been.
    again = next(now for now in iter(delivery, None) if now["state"] == "waiting")
    assert (again["attempts"], again["error"]) == (0, first["error"])
    assert str(models) in first["error"]
    [told] = [check for check in health(running)["checks"] if check["name"] == "evidence.models"]
    assert told["state"] == "fail" and str(models) in told["detail"] and "已保存" in told["detail"]
    capture = running.database.evidence_captures.find_one({"event_id": running.camera.sent[-1].event_id})
    assert capture and capture["state"] == "received"

    away.rename(models)
    all_is_done(running)
    [told] = [check for check in health(running)["checks"] if check["name"] == "evidence.models"]
    assert told["state"] != "fail"


def kept_objects(folder: Path) -> set[Path]:
    """Return the files of all blobs."""
    return {path for path in (folder / "blobs").rglob("*") if path.is_file()}


def health(ground: Ground) -> dict[str, Any]:
    """Return what the health page shows to an administrator."""
    session = ask(f"{ground.web}/api/v1/sessions", json.dumps(ground.administrator).encode())
    return ask(f"{ground.web}/api/v1/health", token=session["access_token"])


def ask(address: str, body: bytes | None = None, token: str = "") -> dict[str, Any]:
    """Return the JSON of an answer."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        return dict(json.load(answer))
