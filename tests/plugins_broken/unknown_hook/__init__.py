"""A plugin with a hook that the platform does not have."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="unknown_hook", title="未知钩子", version="1.0", platform=">=0.1,<0.2")
