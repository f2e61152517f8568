"""The worker: one process that takes work from queues, without forking, so that vision models load once."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job as Order
from rq.serializers import JSONSerializer

from backend import settings
from backend.monitoring import get_logger

log = get_logger(__name__)

#: How often a worker says that it is alive, also in the middle of a job.
HEARTBEAT_SECONDS = 15
RECONNECT_SECONDS = 1.0


class Worker(SimpleWorker):
    """RQ's worker without a fork: it gives a sign of life during long work and knows whether it was asked to stop."""

    max_connection_wait_time = 5.0
    log_result_lifespan = False
    asked_to_stop = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the work in hand, then end (SIGTERM, SIGINT)."""
        Worker.asked_to_stop = True
        super().request_stop(signum, frame)

    def subscribe(self) -> None:
        """Take no commands from Redis: who may write there may not stop a worker's work."""

    def execute_job(self, job: Order, queue: Queue) -> None:
        """Do one piece of work."""
        ended = threading.Event()
        beat = threading.Thread(target=self._beat, args=(job, ended), name="heartbeat", daemon=True)
        beat.start()
        try:
            super().execute_job(job, queue)
        finally:
            ended.set()
            beat.join(1)

    def _beat(self, job: Order, ended: threading.Event) -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            execution = next(iter(self.executions.values()), None)
            if execution is None:
                continue
            try:
                self.maintain_heartbeats(job, execution)
            except RedisError as error:
                log.warning("heartbeat_failed", error=str(error))


def run_worker(queues: Sequence[str], *, burst: bool = False) -> None:
    """Work on `queues` until SIGTERM or SIGINT, then finish the work in hand; outlives restarts of Redis.

    With `burst` it ends when the queues are empty. To be called in the main thread: time limits use SIGALRM.
    """
    Worker.asked_to_stop = False
    while not Worker.asked_to_stop:
        try:
            # The worker waits for work in one blocking call, so its connection has a longer limit than `connection()`.
            link = Redis.from_url(settings.current().redis_url, socket_connect_timeout=2)
            worker = Worker(
                [Queue(name, connection=link, serializer=JSONSerializer) for name in queues],
                connection=link,
                serializer=JSONSerializer,
                worker_ttl=60,
                maintenance_interval=60,
                job_monitoring_interval=HEARTBEAT_SECONDS,
                log_job_description=False,
            )
            worker.work(burst=burst, logging_level="WARNING")
        except StopRequested:
            return
        except RedisError as error:
            log.warning("worker_waits_for_redis", error=str(error))
        if burst:
            return
        if not Worker.asked_to_stop:
            try:
                time.sleep(RECONNECT_SECONDS)
            except StopRequested:
                return
