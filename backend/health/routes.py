"""The addresses of the probes, the metrics and the health page."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

import flask
from flask import Response, render_template, request

from backend import settings
from backend.health.checks import READINESS
from backend.health.figures import levels
from backend.health.report import make_report
from backend.health.schemas import HealthReportSchema
from backend.http import Blueprint, Problem, requires
from backend.http.pages import page
from backend.monitoring import metrics, run_checks
from backend.plugin_api import registry

PERMISSION = "platform:health"

probes = flask.Blueprint("probes", __name__)
pages = flask.Blueprint(
    "health_pages", __name__, template_folder="templates", static_folder="static", static_url_path="/static/health"
)
routes = Blueprint("health", __name__, url_prefix="/api/v1/health", description="运行状况")


@probes.get("/healthz")
def alive() -> dict[str, str]:
    """Say that the process answers; asks nobody else."""
    return {"status": "ok"}


@probes.get("/readyz")
def ready() -> tuple[dict[str, Any], int]:
    """Say whether requests can be served: 503 with the reasons when not."""
    results = run_checks(READINESS)
    failed = [
        {"name": each.name, "title": each.title, "detail": each.detail} for each in results if each.state == "fail"
    ]
    return {"status": "unready" if failed else "ready", "failed": failed}, 503 if failed else 200


@probes.get("/metrics")
def show_metrics() -> Response:
    """Return the metrics, to this machine or to whoever has the token."""
    if not (has_metrics_token() or comes_from_here()):
        raise Problem("forbidden")
    return Response(metrics.render(levels()), content_type=metrics.CONTENT_TYPE)


def has_metrics_token() -> bool:
    """Say whether the request carries the token of the settings."""
    wanted = settings.current().metrics_token
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(wanted) and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), wanted.encode())


def comes_from_here() -> bool:
    """Say whether this very machine asks; with a proxy on it that is not trusted, nobody can tell."""
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP"))
    try:
        local = ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
    return local and not (forwarded and not settings.current().trusted_proxies)


@pages.get("/health")
@page(PERMISSION)
def health_page() -> str:
    """Show how the platform is."""
    return render_template("health.html", report=make_report(registry.installed()))


@routes.route("")
@requires(PERMISSION)
@routes.response(200, HealthReportSchema)
def report() -> dict[str, Any]:
    """Tell how the platform is (运行状况)."""
    return make_report(registry.installed())
