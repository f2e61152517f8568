"""A plugin that returns something else than the hook asks for."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="wrong_type", title="类型有误", version="1.0", platform=">=0.1,<0.2")
