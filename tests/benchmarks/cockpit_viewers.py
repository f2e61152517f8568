"""500 people who look at the cockpit: each asks every two seconds, on two workers, with a login and the real store.

Open loop: a request is due whether or not the one before it was answered, and its time counts from when it was due.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from backend.embedded.process import free_port
from backend.identity.demo import DEMO_PASSWORD
from tests.benchmarks.cockpit_page import environment
from tests.benchmarks.ground import platform
from tests.benchmarks.ratio import Ratio

VIEWERS, EVERY_SECONDS, SECONDS, ACCOUNTS = 500, 2.0, 20.0, ("district", "street", "community", "admin")
THREADS = 32
P95_SECONDS = 0.1
#: What a page asks in turn: most of its requests are for what is live.
ASKED = (
    "layers/alerts.open?area={area}",
    "panels/alerts.ticker?area={area}",
    "panels/alerts.headline?area={area}&period=month",
    "layers/alerts.open?area={area}",
    "panels/dispatch.headline?area={area}&period=month",
    "panels/base_info.headline?area={area}",
)


def measure() -> Iterator[Ratio]:
    """Yield the 95th percentile of the answers' times, and how many failed."""
    with platform() as settings:
        port = free_port()
        variables = {**os.environ, **environment(settings), "QINGXU_WEB_WORKERS": "2"}
        command = [sys.executable, "-m", "gunicorn", "--config", "python:backend.run.web", "--workers", "2"]
        master = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}", "wsgi:app"], env=variables)
        try:
            wait_for(port)
            tokens = [sign_in(port, account) for account in ACCOUNTS]
            for token in tokens:  # as screens that have been open for a while find it
                for asked in ASKED:
                    ask(http.client.HTTPConnection("127.0.0.1", port), token, asked)
            times, failed = look(port, tokens)
        finally:
            master.terminate()
            master.wait(20)
    p95 = statistics.quantiles(times, n=20)[-1]
    said = f"{p95 * 1000:.0f} ms p95 of {len(times)}, {len(times) / SECONDS:.0f}/s"
    bound = f"{P95_SECONDS * 1000:.0f} ms"
    yield Ratio(name=f"cockpit, {VIEWERS} viewers", ours=said, peer=bound, ratio=p95 / P95_SECONDS, at_most=1.0)
    yield Ratio(name="cockpit, failed requests", ours=str(failed), peer=str(len(times)), ratio=float(failed), at_most=0)


def look(port: int, tokens: list[str]) -> tuple[list[float], int]:
    """Return the time of each request and how many were not answered well."""
    began = time.perf_counter() + 0.5
    count = round(VIEWERS * SECONDS / EVERY_SECONDS)
    gap = SECONDS / count

    def views(thread: int) -> list[tuple[float, bool]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        found = []
        for number in range(thread, count, THREADS):
            due = began + number * gap
            time.sleep(max(0.0, due - time.perf_counter()))
            good = ask(connection, tokens[number % len(tokens)], ASKED[number // len(tokens) % len(ASKED)])
            found.append((time.perf_counter() - due, good))
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        every = [each for found in pool.map(views, range(THREADS)) for each in found]
    return [seconds for seconds, _ in every], sum(not good for _, good in every)


def ask(connection: http.client.HTTPConnection, token: str, asked: str) -> bool:
    """Ask for a part of the page; says whether it came."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "br"}
    connection.request("GET", f"/cockpit/data/{asked.format(area='')}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200 and answer.headers.get("X-Cockpit-State", "fresh") != "failed"


def sign_in(port: int, account: str) -> str:
    """Return an access token of a demo account."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"account": account, "password": DEMO_PASSWORD})
    connection.request("POST", "/api/v1/sessions", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return str(answer["access_token"])


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            time.sleep(5)  # the second worker
            return
    raise RuntimeError("The server did not start.")
