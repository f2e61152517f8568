"""A MongoDB-compatible store and Redis for a laptop, started as separate processes."""

from backend.embedded.servers import Server, start_redis, start_store

__all__ = ["Server", "start_redis", "start_store"]
