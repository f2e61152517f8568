"""The RQ queues. They carry only the order to look at a stored record, so nothing is lost when Redis is emptied."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Collection
from functools import lru_cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from backend import settings
from backend.monitoring import get_logger

log = get_logger(__name__)

# A web request that has just committed must not wait for a Redis that is gone; the sweeps make up for it.
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0


def connection() -> Redis:
    """Return this process's Redis connection for putting work on the queues."""
    return _connection(settings.current().redis_url, os.getpid())


@lru_cache(maxsize=4)
def _connection(url: str, pid: int) -> Redis:
    # One more try at once is for a connection that a restart of Redis has cut.
    again = Retry(NoBackoff(), 1)
    return Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=again)


def queue(name: str) -> Queue:
    """Return an RQ queue that speaks JSON: what lies in Redis can never become code."""
    return _queue(name, connection())


@lru_cache(maxsize=32)
def _queue(name: str, redis: Redis) -> Queue:
    return Queue(name, connection=redis, serializer=JSONSerializer)


def work_id(*parts: str | int) -> str:
    """Return an RQ id made of `parts`; RQ allows letters, digits, dashes and underscores only."""
    return re.sub(r"[^0-9A-Za-z_-]", "-", "-".join(str(part) for part in parts))


def put(
    queue_name: str, function: str, *arguments: str | int, timeout_seconds: int, id: str, queued: Collection[str] = ()
) -> bool:
    """Ask the workers of a queue to call `function` (a dotted path); says whether it was put there.

    It is not when its id is in `queued`, nor when Redis cannot be reached, which is logged: the caller's record
    stays due, and the next sweep puts it again.
    """
    if id in queued:
        return False
    try:
        # One trip instead of RQ's two. It needs no transaction: half an order is none, the next sweep puts it again.
        with connection().pipeline(transaction=False) as together:
            # The record in the store says what became of the work; Redis keeps no second account of it.
            queue(queue_name).enqueue_call(
                function,
                args=arguments,
                timeout=timeout_seconds,
                job_id=id,
                result_ttl=0,
                failure_ttl=60,
                description=id,
                pipeline=together,
            )
            together.execute()
    except RedisError as error:
        log.warning("queue_unreachable", queue=queue_name, work=id, error=str(error))
        return False
    return True


def queued_ids(queue_name: str) -> set[str]:
    """Return the ids that wait on a queue; raises RedisError."""
    return set(queue(queue_name).job_ids)


def backoff_seconds(attempts: int) -> float:
    """Return how long to wait after `attempts` failed attempts: doubling from 5 s up to 10 min, with jitter of half.

    The jitter keeps a thousand deliveries that failed together from coming back together.
    """
    return min(600.0, 5.0 * 2 ** (attempts - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
