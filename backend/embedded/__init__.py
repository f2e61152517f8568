"""A MongoDB-compatible store and Redis for one machine, run as separate processes."""

from backend.embedded.process import StartError, check_port, end_leftover, spawn, stop_process
from backend.embedded.redis_server import start_redis
from backend.embedded.server import Server
from backend.embedded.store import start_store

__all__ = [
    "Server",
    "StartError",
    "check_port",
    "end_leftover",
    "spawn",
    "start_redis",
    "start_store",
    "stop_process",
]
