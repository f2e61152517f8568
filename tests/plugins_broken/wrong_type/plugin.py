"""Returns a wrong type."""

from backend.plugin_api import hookimpl


@hookimpl
def register_permissions() -> list[str]:
    """Return a text where a permission belongs."""
    return ["wrong_type:view"]
