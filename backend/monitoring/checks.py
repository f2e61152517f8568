"""Health checks: small questions with an answer that an operator can act on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from backend.monitoring.logs import get_logger
from backend.monitoring.redaction import redact_text

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Health:
    """The answer of a check; `detail` is one Chinese sentence that says what is so and what to do about it."""

    state: State
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A question about the running platform; `run` takes well under a second and changes nothing."""

    name: str
    title: str
    run: Callable[[], Health]


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check answered, and how long it took."""

    name: str
    title: str
    state: State
    detail: str
    seconds: float


def run_checks(checks: Iterable[HealthCheck]) -> list[CheckResult]:
    """Run the checks one after the other; one that raises has failed, and the others run all the same."""
    return [run_check(check) for check in checks]


def run_check(check: HealthCheck) -> CheckResult:
    """Run one check and time it."""
    started = time.perf_counter()
    try:
        health = check.run()
        state, detail = health.state, health.detail
    except Exception as error:
        get_logger(__name__).warning("health_check_raised", check=check.name, exc_info=error)
        state, detail = "fail", f"检查没有完成：{type(error).__name__}：{redact_text(str(error))[:200]}"
    seconds = round(time.perf_counter() - started, 3)
    return CheckResult(name=check.name, title=check.title, state=state, detail=detail, seconds=seconds)
