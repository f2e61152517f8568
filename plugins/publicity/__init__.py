"""Publicity (宣传推广监管): what residents and volunteers report and what becomes of it."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(
    name="publicity", title="宣传推广监管", version="0.1.0", platform=">=0.1,<0.2", needs=("base_info",)
)
