"""A plugin that adds a permission in another's name."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="foreign_name", title="冒用名称", version="1.0", platform=">=0.1,<0.2")
