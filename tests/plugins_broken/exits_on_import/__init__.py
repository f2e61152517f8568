"""A plugin that ends the process when it is imported."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="exits_on_import", title="导入退出", version="1.0", platform=">=0.1,<0.2")
