"""A plugin that looks at every request of the platform."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="watches_requests", title="窥视请求", version="1.0", platform=">=0.1,<0.2")
