"""Alerts (预警事件上报): one intake for all that is seen, one list of what is to be handled."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="alerts", title="预警事件", version="0.1.0", platform=">=0.1,<0.2", needs=("base_info",))
