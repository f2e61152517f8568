"""Servers that the operator has set an address of: looked at once, so that a mistake is one clear sentence."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri
from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from backend.embedded import StartError

#: The wire version of MongoDB 7.0.
OLDEST_WIRE_VERSION = 21
SECONDS = 5


def check_mongodb(url: str) -> str:
    """Return where MongoDB answers, without the password; raises StartError."""
    try:
        places = ", ".join(f"{host}:{port}" for host, port in parse_uri(url)["nodelist"])
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=SECONDS * 1000) as client:
            hello = client.admin.command("hello")
            client.admin.command("ping")
    except (ConfigurationError, ValueError) as error:
        raise StartError(f"QINGXU_MONGODB_URL is not an address of MongoDB: {error}.") from error
    except OperationFailure as error:
        raise StartError(f"MongoDB at {places} refuses the account in QINGXU_MONGODB_URL.") from error
    except PyMongoError as error:
        raise StartError(f"MongoDB does not answer at {places}: start it, or correct QINGXU_MONGODB_URL.") from error
    if hello["maxWireVersion"] < OLDEST_WIRE_VERSION:
        raise StartError(f"MongoDB at {places} is too old: Qingxu needs version 7 or newer.")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StartError(f"MongoDB at {places} stands alone: make it a replica set, which transactions need.")
    return places


def check_redis(url: str) -> str:
    """Return where Redis answers, without the password; raises StartError."""
    try:
        with Redis.from_url(url, socket_connect_timeout=SECONDS, socket_timeout=SECONDS) as link:
            place = "{host}:{port}".format_map({"host": "", "port": "", **link.get_connection_kwargs()})
            link.ping()
    except ValueError as error:
        raise StartError(f"QINGXU_REDIS_URL is not an address of Redis: {error}.") from error
    except AuthenticationError as error:
        raise StartError(f"Redis at {place} refuses the password in QINGXU_REDIS_URL.") from error
    except RedisError as error:
        raise StartError(f"Redis does not answer at {place}: start it, or correct QINGXU_REDIS_URL.") from error
    return place
