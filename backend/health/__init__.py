"""How the platform is: probes for machines, metrics, and a page for the people who run it."""

from __future__ import annotations

from flask import Flask

from backend.health.checks import CHECKS, READINESS
from backend.health.observing import observe_plugins
from backend.health.routes import pages, probes, routes
from backend.http import Api

__all__ = ["CHECKS", "READINESS", "install", "observe_plugins"]


def install(app: Flask, api: Api) -> None:
    """Add the probes, the metrics and the health report; pages of `backend.accounts` have to be there."""
    app.register_blueprint(probes)
    app.register_blueprint(pages)
    api.register_blueprint(routes)
