"""Counts what is told of captures; found through PYTHONPATH as if it were installed."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="counting", title="计数", version="1.0", platform=">=0.1", needs=("evidence",))
