"""Everything is killed at random, again and again, while cameras go on sending."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.faults.ground import Ground

SECONDS = 12
#: How often each is the victim; `web worker` leaves gunicorn alone, which starts another one.
VICTIMS = {"vision": 5, "web worker": 5, "store": 4, "web": 2, "default": 2, "scheduler": 1, "redis": 1}


def test_nothing_is_lost_or_doubled_in_a_storm_of_kills(running: Ground) -> None:
    before = len(running.camera.sent)
    seed = random.randrange(1_000_000)
    chance, killed, over = random.Random(seed), Counter[str](), threading.Event()

    def stream() -> int:
        count = 0
        while not over.is_set():
            running.camera.insist(running.web, running.camera.observe())
            count += 1
            time.sleep(0.3)
        return count

    with ThreadPoolExecutor(2) as cameras:
        streams = [cameras.submit(stream) for _ in range(2)]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not any(each.done() for each in streams):
            time.sleep(chance.uniform(0.2, 2))
            [victim] = chance.choices(list(VICTIMS), list(VICTIMS.values()))
            killed[victim] += 1
            if victim == "web worker":
                running.kill_web_worker()
            else:
                running.kill(victim)
            running.start_fallen()
        over.set()
        taken_in = sum(each.result() for each in streams)
    begun = time.monotonic()
    running.end_open_transactions()
    # A lease and the store's minute of holding a dead writer's records may run out one after the other.
    running.wait_until(lambda: running.waiting() == 0, f"all is extracted (seed {seed}, {killed})", seconds=180)
    print(f"{killed}, {taken_in} captures, all done {time.monotonic() - begun:.0f} s after the last kill")
    assert taken_in == len(running.camera.sent) - before
    assert running.killable.broken_promises() == [], f"seed {seed}, {killed}"
