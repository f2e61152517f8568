"""Run in a process of its own, with the package on the path: use all that the plugin adds and say what came of it."""

from __future__ import annotations

import json
import sys
from typing import Any

from backend import identity, jobs, rollups, storage
from backend.app import create_app, prepare
from backend.events import publish
from backend.identity import Area, Client, log_in
from backend.identity.models import ModuleSwitch
from backend.identity.people import make_user
from backend.plugin_api import View, registry
from backend.settings import Settings

PASSWORD = "Sorted-Waste-4711"
PLACE = "330110/330110001/330110001005/C00042"


def extracted(objects: int, labels: list[str], area: str) -> None:
    """Publish what the evidence module publishes after its work on a capture."""
    payload = {"capture": "664f1c2ab3d4e5f6a7b8c9d0", "faces": 1, "objects": objects, "labels": labels}
    storage.atomically(lambda: publish("evidence.extracted", payload, area=area))


def main() -> dict[str, Any]:
    """Bring up a platform without demo, let things happen, and look at it as two people."""
    settings = Settings.from_env()
    prepare(settings, lambda _line: None)
    app = create_app(settings)
    for path, name, level in (("330110", "清序区", "district"), ("330111", "邻区", "district")):
        Area(path=path, code=path, name=name, level=level).save()
    for account, area in (("here", "330110"), ("there", "330111")):
        make_user(PASSWORD, must_change=False, account=account, name="张三", user_type="district_staff", area=area)

    extracted(3, ["bag", "bottle"], PLACE)
    extracted(0, [], PLACE)
    extracted(5, ["bag"], "330111/330111001")
    jobs.run_worker(["default"], burst=True)
    rollups.recompute_dirty()
    again = storage.database()["events"].find_one({"payload.objects": 3})
    from qingxu_litter.service import note_sighting

    from backend.events import Event

    note_sighting(
        Event(
            id=str(again["_id"]),
            name=again["name"],
            area=PLACE,
            occurred_at=again["occurred_at"],
            payload=again["payload"],
        )
    )

    def ask(account: str, address: str) -> Any:
        token = log_in(account, PASSWORD, Client()).access
        answer = app.test_client().get(address, headers={"Authorization": f"Bearer {token}"})
        return answer.json if answer.is_json else answer.text

    installed = registry.installed()
    (panel,) = [each for each in installed.panels if each.name == "litter.kinds"]
    bars = panel.show(View(area="330110", scope={}))
    found = {
        "here": ask("here", "/api/v1/litter_sightings")["items"],
        "there": ask("there", "/api/v1/litter_sightings")["items"],
        "panel": {
            "labels": list(bars.labels),
            "values": {name: list(map(int, each)) for name, each in bars.series.items()},
        },
        "menu": "散落物统计" in ask("here", "/"),
        "document": "/api/v1/litter_sightings" in app.test_client().get("/api/openapi.json").json["paths"],
        "health": [each for each in ask("here", "/api/v1/health")["plugins"] if each["name"] == "litter"],
        "role": "litter:view" in identity.Role.objects.get(name="street_staff").permissions,
    }
    storage.database()["litter_sightings"].update_many(
        {"area": PLACE}, {"$set": {"seen_at": storage.utcnow().replace(year=2020)}}
    )
    jobs.enqueue("litter.forget_old")
    jobs.run_worker(["default"], burst=True)
    found["kept"] = storage.database()["litter_sightings"].count_documents({})
    ModuleSwitch(module="litter", area="330111", enabled=False).save()
    found["switched_off"] = ask("there", "/api/v1/litter_sightings")
    found["menu_switched_off"] = "散落物统计" in ask("there", "/")
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(), ensure_ascii=False, default=str))
