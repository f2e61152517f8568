"""Base information (基础信息): what the district has, where it is, and who looks after it."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="base_info", title="基础信息", version="0.1.0", platform=">=0.1,<0.2")
