"""From something seen to the closed order and the answer: a camera's event, and a resident's photo."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, expect

from tests.browser import watching
from tests.journeys.conftest import Platform
from tests.journeys.test_newcomer import PASSWORD, sign_in
from tests.vision import weights

T = TypeVar("T")
PATIENCE_SECONDS = 180  # workers do their part in between


@dataclass
class Person:
    """Somebody signed in, and the way to the API."""

    context: BrowserContext
    headers: dict[str, str]

    def get(self, address: str, **query: Any) -> Any:
        """Return the JSON of what is there."""
        answer = self.context.request.get(f"/api/v1/{address}", headers=self.headers, params=query)
        assert answer.ok, answer.text()
        return answer.json()

    def send(
        self, address: str, told: Any = None, *, etag: str = "", form: dict[str, Any] | None = None
    ) -> APIResponse:
        """Post JSON, or a form."""
        headers = {**self.headers, **({"If-Match": f'"{etag}"'} if etag else {})}
        if form is not None:
            return self.context.request.post(f"/api/v1/{address}", headers=headers, multipart=form)
        return self.context.request.post(f"/api/v1/{address}", headers=headers, data=told or {})


@pytest.fixture
def person(browser: Browser, platform: Platform, request: pytest.FixtureRequest) -> Callable[[str], Person]:
    """Return how an account of the demo comes to the API."""

    def enter(account: str) -> Person:
        context = browser.new_context(base_url=platform.base)
        request.addfinalizer(context.close)
        answer = context.request.post("/api/v1/sessions", data={"account": account, "password": PASSWORD})
        return Person(context, {"Authorization": f"Bearer {answer.json()['access_token']}"})

    return enter


def test_what_a_camera_saw_is_handled_checked_and_closed(
    browser: Browser, platform: Platform, person: Callable[[str], Person]
) -> None:
    admin, worker, district = person("admin"), person("property"), person("district")
    cameras = (each for each in worker.get("devices", kind="camera", limit=200)["items"])
    camera = next(each for each in cameras if not district.get("alerts", point=each["point"], kind="E03")["items"])
    key = admin.send(f"devices/{camera['id']}/signing-key", etag=camera["etag"]).json()["signing_key"]
    event = {"event_id": f"loop-{time.time_ns()}", "code": "E03", "confidence": 0.93}
    assert told(district, camera["code"], key, event) == "raised"
    assert told(district, camera["code"], key, event) == "repeated"
    assert told(district, camera["code"], key, {**event, "event_id": f"{event['event_id']}-again"}) == "counted"

    def mine() -> dict[str, Any] | None:
        open_ones = district.get("alerts", point=camera["point"], kind="E03", limit=5)["items"]
        return next((each for each in open_ones if each["count"] == 2), None)

    alert = patiently(mine)
    order = order_of(district, alert["id"])
    closed = handle(district, worker, order)
    assert closed["state"] == "closed" and closed["on_time"]
    assert patiently(lambda: district.get(f"alerts/{alert['id']}")["state"] == "closed")
    # Points for the compound's assessment come of it, and the worker was told in the app.
    assert patiently(lambda: [each for each in inbox(worker) if order["number"] in each["text"]])
    with watching(browser, base=platform.base) as watched:
        sign_in(watched.page, "district", "/alerts/")
        watched.page.goto(f"/alerts/#{alert['id']}")
        expect(watched.page.locator("main")).to_contain_text(alert["number"])
        watched.assert_clean()


def test_what_a_resident_reported_is_answered_and_rated(person: Callable[[str], Person]) -> None:
    resident, worker, district = person("resident"), person("property"), person("district")
    point = worker.get("drop-off-points", limit=5)["items"][0]
    photo = {"name": "落地.jpg", "mimeType": "image/jpeg", "buffer": weights.six_people()}
    words = {"category": "on_ground", "text": "桶外堆了好几袋垃圾，没有人收拾。", "point": point["code"]}
    answer = resident.send("exposures", form={**words, "photos": photo})
    assert answer.status == 201, answer.text()
    receipt = answer.json()

    [exposure] = district.get("exposures", number=receipt["number"])["items"]
    assert "演示居民" not in json.dumps(exposure, ensure_ascii=False)
    assert district.send(f"exposures/{exposure['id']}/accept", etag=exposure["etag"]).ok

    def followed() -> dict[str, Any]:
        return dict(resident.send("exposure-receipts", {"code": receipt["code"]}).json())

    order = order_of(district, patiently(lambda: district.get(f"exposures/{exposure['id']}")["alert"]))
    assert handle(district, worker, order)["state"] == "closed"
    assert patiently(lambda: followed()["state"] == "handled")
    steps = [step["text"] for step in followed()["steps"]]
    assert len(steps) >= 5, steps
    rated = resident.send("exposure-receipts/rating", {"code": receipt["code"], "stars": 5, "text": "处理很快"})
    assert rated.ok, rated.text()


def test_orders_that_nobody_handles_are_told_up_the_tree(person: Callable[[str], Person]) -> None:
    street, district = person("street"), person("district")
    assert street.get("work-orders", overdue="true", limit=5)["items"]
    for office in (street, district):
        assert patiently(
            lambda office=office: [each for each in inbox(office) if each["template"] == "dispatch.escalated"]
        )


def told(by: Person, device: str, key: str, event: dict[str, Any]) -> str:
    """Send an event as the camera's box does; returns what became of it."""
    body, moment = json.dumps({"events": [event]}).encode(), str(int(time.time()))
    signed = f"qingxu-alerts-v1\n{moment}\n{hashlib.sha256(body).hexdigest()}".encode()
    headers = {
        "Content-Type": "application/json",
        "X-Device": device,
        "X-Timestamp": moment,
        "X-Signature": hmac.new(bytes.fromhex(key), signed, "sha256").hexdigest(),
    }
    answer = by.context.request.post("/api/v1/alerts/events", data=body, headers=headers)
    assert answer.status == 202, answer.text()
    return str(answer.json()["events"][0]["outcome"])


def handle(office: Person, worker: Person, order: dict[str, Any]) -> dict[str, Any]:
    """Dispatch an order in one tap, take it, reply without proof and then with it, and check it."""
    address = f"work-orders/{order['id']}"
    sent = office.send(f"{address}/dispatch", etag=order["etag"])
    assert sent.ok, sent.text()
    taken = worker.send(f"{address}/take", etag=sent.json()["etag"])
    assert taken.ok, taken.text()
    words = {"metadata": json.dumps({"note": "已清理并冲洗地面"})}
    bare = worker.send(f"{address}/replies", form=words, etag=taken.json()["etag"])
    assert bare.status == 422 and bare.json()["code"] == "proof_missing", bare.text()
    photo = {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": weights.astronaut()}
    replied = worker.send(
        f"{address}/replies", form={**words, "before": photo, "after": photo}, etag=taken.json()["etag"]
    )
    assert replied.status == 201, replied.text()
    own = worker.send(f"{address}/steps", {"verb": "close", "reason": "好"}, etag=replied.json()["etag"])
    assert own.status == 403
    closed = office.send(f"{address}/steps", {"verb": "close", "reason": "现场已清理干净"}, etag=replied.json()["etag"])
    assert closed.ok, closed.text()
    return dict(closed.json())


def order_of(by: Person, alert: str) -> dict[str, Any]:
    """Return the order of an alert, as the tap on its page does."""
    opened = by.send(f"alerts/{alert}/order")
    assert opened.ok, opened.text()
    return dict(by.get(f"work-orders/{opened.json()['href'].rpartition('#')[2]}"))


def inbox(of: Person) -> list[dict[str, Any]]:
    """Return the newest messages of a person."""
    return list(of.get("messages", limit=50)["items"])


def patiently(ask: Callable[[], T | None]) -> T:
    """Return what `ask` says as soon as it is something."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < until, "It did not come."
        time.sleep(0.5)
    return answer
