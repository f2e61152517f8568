"""The one WSGI app: API, pages and cockpit. `gunicorn --config python:backend.run.web wsgi:app`."""

from __future__ import annotations

import dash_cockpit
from backend.app import create_app
from backend.settings import Settings
from dash_cockpit.platform import sources

app = create_app(Settings.from_env())
dash_cockpit.mount(app, sources())


def warm() -> None:
    """Answer the first pages inside the process, before it takes requests."""
    dash_cockpit.warm(app)
