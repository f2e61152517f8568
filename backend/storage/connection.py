"""One connection per process, shared by MongoEngine and by direct pymongo use."""

from __future__ import annotations

from typing import Any

import mongoengine
from mongoengine.connection import get_connection, get_db
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ConnectionFailure, ExecutionTimeout

#: What is raised when the store cannot be reached, or not in time.
UNREACHABLE = (ConnectionFailure, ExecutionTimeout)


def connect(url: str, name: str, **options: Any) -> MongoClient[dict[str, Any]]:
    """Connect this process to the database `name`; times come back as aware UTC."""
    return mongoengine.connect(
        name,
        host=url,
        tz_aware=True,
        uuidRepresentation="standard",
        serverSelectionTimeoutMS=5000,
        **options,
    )


def disconnect() -> None:
    """Close the connection."""
    mongoengine.disconnect()


def client() -> MongoClient[dict[str, Any]]:
    """Return the process's client."""
    return get_connection()


def database() -> Database[dict[str, Any]]:
    """Return the process's database, for hot paths that go past MongoEngine."""
    return get_db()


def is_secantus() -> bool:
    """Say whether the embedded SecantusDB answers, and not MongoDB."""
    return bool(client().admin.command("hello").get("setName") == "secantus")


def store_name() -> str:
    """Say which server answers and in which version, such as `MongoDB 7.0.14` or `SecantusDB (8.2.11)`."""
    version = client().server_info()["version"]
    return f"SecantusDB ({version})" if is_secantus() else f"MongoDB {version}"
