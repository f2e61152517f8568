"""Has an unknown hook."""

from backend.plugin_api import hookimpl


@hookimpl
def register_gadgets() -> list[str]:
    """Return something."""
    return []
