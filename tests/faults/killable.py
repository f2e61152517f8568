"""The platform, loaded once; for each order on stdin a fork of it does one thing and may be struck on the way.

`serve` answers one request on the port that the first line names, `work` works until the queues are empty. At the
`point`-th point of a `kind` the process `target` is killed, the fork itself when that is 0. `furnish` makes a district
and `look` says what is not as it was promised. Each order is answered by lines of JSON, the last is the exit code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from backend import app as platform
from backend import jobs, storage
from backend.events import deliver_due
from backend.identity import keep_areas
from backend.plugin_api.registry import installed
from backend.settings import Settings
from plugins.evidence.vision import extract, models
from tests.district import AREAS, PASSWORD, District
from tests.faults.camera import new_photo
from tests.faults.points import Points
from tests.faults.promises import broken_promises


def main() -> None:
    """Load everything, then obey."""
    settings = Settings.from_env()
    app = platform.create_app(settings)
    unloaded = [each for each in installed().plugins if each.state != "loaded"]
    assert not unloaded, unloaded
    warm_up(app)
    storage.disconnect()
    points = Points()
    points.watch_files_and_redis()
    entrance = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        make_server("127.0.0.1", 0, app, fd=entrance.fileno()).handle_request()

    def work() -> None:
        jobs.run_worker(["vision", "default"], burst=True)

    def recover() -> None:
        deliver_due()
        work()

    def furnish() -> dict[str, str]:
        storage.disconnect()  # `prepare` connects by itself
        platform.prepare(settings, lambda _line: None)
        keep_areas(AREAS)
        district = District(app, settings)
        staff = district.sign_in()
        camera = district.furnish(staff)["camera"]
        issued = staff.call("POST", f"/api/v1/devices/{camera['id']}/signing-key", etag=camera["etag"])
        administrator = district.sign_in("administrator")
        return {"key": issued.json["signing_key"], "account": administrator.user.account, "password": PASSWORD}

    orders: dict[str, Callable[..., Any]] = {
        "serve": serve, "work": work, "recover": recover, "furnish": furnish, "look": broken_promises
    }  # fmt: skip
    answer(entrance.getsockname()[1])
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            storage.connect(settings.mongodb_url, settings.mongodb_database, event_listeners=[points])
            obey(orders[order["do"]], points, order)
        _, status = os.waitpid(pid, 0)
        answer(os.waitstatus_to_exitcode(status))


def warm_up(app: Flask) -> None:
    """Do once what every fork would have to do first."""
    app.test_client().get("/healthz")
    extract(new_photo(), [], models())


def obey(work: Callable[..., Any], points: Points, order: dict[str, Any]) -> None:
    """Do the work of a fork, say what came of it, and end."""
    target = order["target"]

    def strike(what: str) -> None:
        answer({"struck": what})
        os.kill(target or os.getpid(), signal.SIGKILL)

    points.arm(order["point"], order["kind"], strike)
    code = 0
    try:
        outcome = work(*order["with"])
        points.number = 0
    except BaseException:
        import traceback

        traceback.print_exc()
        outcome, code = None, 1
    answer({"outcome": outcome, "passed": points.names})
    os._exit(code)


def answer(content: Any) -> None:
    """Write one line, at once and whole."""
    os.write(1, json.dumps(content).encode() + b"\n")


if __name__ == "__main__":
    main()
