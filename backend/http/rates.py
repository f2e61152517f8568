"""How often one account or address may ask.

Redis counts for all processes together. A process takes its share in blocks, so that most requests cost no round trip;
no more than the limit is ever handed out in a window. Without Redis each process counts for itself, and goes on from
what it has taken: an outage hands nothing out twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from time import monotonic
from typing import Any

from flask import Flask, current_app, request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from backend.http.describing import View
from backend.http.problems import Problem
from backend.identity import IdentityError, current_principal
from backend.monitoring import get_logger
from backend.settings import Settings

logger = get_logger(__name__)

REDIS_TIMEOUT = 0.3
WITHOUT_REDIS_SECONDS = 15
BLOCKS_IN_A_WINDOW = 20
REFUSING_SECONDS = 0.5
MOST_KEYS = 10_000


@dataclass
class Block:
    """Requests that this process may still let through before it has to ask again; none while it refuses."""

    left: int
    until: float
    refusing: bool = False


class Rates:
    """Counts requests by key; shared by the threads of a process."""

    def __init__(self, redis_url: str) -> None:
        self.alone = FixedWindowRateLimiter(MemoryStorage())
        self.shared = self.alone
        if redis_url:
            options: Any = {"socket_timeout": REDIS_TIMEOUT, "socket_connect_timeout": REDIS_TIMEOUT}
            self.shared = FixedWindowRateLimiter(RedisStorage(redis_url, wrap_exceptions=True, **options))
        self.alone_until = 0.0
        self.blocks: dict[tuple[str, str], Block] = {}
        self.lock = threading.Lock()

    def allows(self, limit: RateLimitItem, key: str) -> bool:
        """Count one request against `limit`."""
        now = monotonic()
        with self.lock:
            block = self.blocks.get((str(limit), key))
            if block and block.until > now and (block.left or block.refusing):
                block.left -= not block.refusing
                return not block.refusing
        for size in {max(1, limit.amount // BLOCKS_IN_A_WINDOW): None, 1: None}:
            if self.take(limit, key, size, now):
                block = Block(size - 1, now + limit.get_expiry())
                break
        else:
            block = Block(0, now + REFUSING_SECONDS, refusing=True)
        with self.lock:
            if len(self.blocks) >= MOST_KEYS:
                self.blocks = {name: each for name, each in self.blocks.items() if each.until > now}
            self.blocks[str(limit), key] = block
        return not block.refusing

    def spent(self, limit: RateLimitItem, key: str) -> bool:
        """Say whether one request more would go beyond `limit`, without counting any."""
        if monotonic() >= self.alone_until:
            try:
                return not self.shared.test(limit, key)
            except Exception as error:
                logger.warning("rate_limits_without_redis", error=str(error)[:200])
                self.alone_until = monotonic() + WITHOUT_REDIS_SECONDS
        return not self.alone.test(limit, key)

    def take(self, limit: RateLimitItem, key: str, size: int, now: float) -> bool:
        """Take `size` requests from the window, of Redis if it answers."""
        if now >= self.alone_until:
            try:
                taken = self.shared.hit(limit, key, cost=size)
            except Exception as error:
                logger.warning("rate_limits_without_redis", error=str(error)[:200])
                self.alone_until = now + WITHOUT_REDIS_SECONDS
            else:
                if taken and self.shared is not self.alone:
                    self.alone.hit(limit, key, cost=size)
                return taken
        return self.alone.hit(limit, key, cost=size)


def install_rates(app: Flask, settings: Settings) -> None:
    """Limit every request to the API by account, or by address without a login."""
    rates = app.extensions["qingxu-rates"] = Rates(settings.redis_url)
    limit = parse(settings.api_rate)

    def check() -> None:
        if request.path.startswith("/api/") and not rates.allows(limit, caller()):
            raise too_many(limit)

    app.before_request(check)


def limited_by_address(rate: Callable[[], str]) -> Callable[[View], View]:
    """Decorate a view with a limit of its own for each address: `limited_by_address(lambda: current().login_rate)`."""

    def decorator(view: View) -> View:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:
            limit = parse(rate())
            if not current_app.extensions["qingxu-rates"].allows(limit, f"{request.endpoint}:{request.remote_addr}"):
                raise too_many(limit)
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]

    return decorator


def count_against(rate: str, key: str) -> None:
    """Count one request, or one failure, under a key of the caller's own; raises Problem `too_many_requests`."""
    limit = parse(rate)
    if not current_app.extensions["qingxu-rates"].allows(limit, key):
        raise too_many(limit)


def refuse_spent(rate: str, key: str) -> None:
    """Raise Problem `too_many_requests` when `count_against` has counted all that `rate` allows; counts nothing."""
    limit = parse(rate)
    if current_app.extensions["qingxu-rates"].spent(limit, key):
        raise too_many(limit)


def caller() -> str:
    """Return the key that a request is counted under."""
    try:
        return f"account:{current_principal(before_password_change=True).id}"
    except IdentityError:
        return f"address:{request.remote_addr}"


def too_many(limit: RateLimitItem) -> Problem:
    """Return the answer to a request too many."""
    return Problem("too_many_requests", headers={"Retry-After": str(limit.get_expiry())})
