"""A plugin that adds a permission and then raises in another hook."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="raises_in_hook", title="钩子出错", version="1.0", platform=">=0.1,<0.2")
