"""Demo orders: a month of them."""

from __future__ import annotations

from backend.plugin_api import DemoDistrict


def load_orders(district: DemoDistrict) -> None:
    """Nothing yet."""
