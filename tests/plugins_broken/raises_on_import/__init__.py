"""A plugin that raises when it is imported."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="raises_on_import", title="导入出错", version="1.0", platform=">=0.1,<0.2")
