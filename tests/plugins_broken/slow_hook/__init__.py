"""A plugin whose hook takes its time."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="slow_hook", title="启动缓慢", version="1.0", platform=">=0.1,<0.2")
