"""What an operator sees of the running platform: logs, metrics, health checks and the faults of plugins."""

from backend.monitoring import faults, metrics
from backend.monitoring.checks import CheckResult, Health, HealthCheck, run_checks
from backend.monitoring.faults import Guarded, guard
from backend.monitoring.logs import configure_logs, get_logger, logging_about
from backend.monitoring.redaction import redact, redact_text

__all__ = [
    "CheckResult",
    "Guarded",
    "Health",
    "HealthCheck",
    "configure_logs",
    "faults",
    "get_logger",
    "guard",
    "logging_about",
    "metrics",
    "redact",
    "redact_text",
    "run_checks",
]
