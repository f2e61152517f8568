"""The peer of the alert intake: a bare Flask route that puts the JSON it gets into the store, by one pymongo insert."""

from __future__ import annotations

import os

from flask import Flask, request
from pymongo import MongoClient


def make_app() -> Flask:
    """Return the WSGI app."""
    app = Flask(__name__)
    events = MongoClient(os.environ["PEER_STORE"])["peer"]["events"]

    @app.post("/events")
    def insert() -> tuple[dict[str, str], int]:
        return {"id": str(events.insert_one(request.get_json()).inserted_id)}, 202

    return app
