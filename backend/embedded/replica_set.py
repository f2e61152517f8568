"""mongod as a replica set of one: transactions need a replica set."""

from __future__ import annotations

import time

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from backend.embedded.process import StartError


def make_primary(url: str, port: int, seconds: float = 30) -> None:
    """Make mongod the only member of its replica set also after its port has changed."""
    member = {"_id": 0, "host": f"127.0.0.1:{port}"}
    deadline = time.monotonic() + seconds
    with MongoClient(url, serverSelectionTimeoutMS=5000) as client:
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure:
            client.admin.command("replSetInitiate", {"_id": "qingxu", "members": [member]})
        else:
            if config["members"][0]["host"] != member["host"]:
                changed = {**config, "version": config["version"] + 1, "members": [{**config["members"][0], **member}]}
                client.admin.command("replSetReconfig", changed, force=True)
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return
            except PyMongoError:
                pass
            time.sleep(0.1)
    raise StartError("mongod did not become the primary of its replica set.")
