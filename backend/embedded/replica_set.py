"""mongod as a replica set of one: transactions need a replica set."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backend.embedded.process import StartError

NOT_YET_INITIALIZED = 94


def make_primary(url: str, port: int, seconds: float = 30) -> None:
    """Make mongod the only member of its set, also after its port has changed; raises StartError."""
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    deadline = time.monotonic() + seconds
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5000) as client:
        try:
            if client.admin.command("hello").get("primary") != member["host"]:
                _configure(client, member)
            while not client.admin.command("hello").get("isWritablePrimary"):
                if time.monotonic() > deadline:
                    raise StartError("mongod did not become the primary of its replica set.")
                time.sleep(0.1)
        except PyMongoError as error:
            raise StartError(f"mongod cannot be made a replica set: {error}.") from error


def _configure(client: MongoClient[dict[str, Any]], member: dict[str, Any]) -> None:
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": "qingxu", "members": [member]})
        return
    if config["members"][0]["host"] != member["host"]:
        changed = {**config, "version": config["version"] + 1, "members": [{**config["members"][0], **member}]}
        client.admin.command("replSetReconfig", changed, force=True)
