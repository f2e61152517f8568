"""How the platform is: probes for machines, metrics, and a page for the people who run it."""

from backend.health.checks import CHECKS, READINESS
from backend.health.observing import observe_plugins
from backend.health.routes import pages, probes, routes

__all__ = ["CHECKS", "READINESS", "observe_plugins", "pages", "probes", "routes"]
