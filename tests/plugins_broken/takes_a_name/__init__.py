"""A plugin that uses a theme name which another plugin has."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="takes_a_name", title="重名", version="1.0", platform=">=0.1,<0.2")
