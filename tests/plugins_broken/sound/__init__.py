"""A plugin without fault, which must work whatever the others do."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="sound", title="完好", version="1.0", platform=">=0.1,<0.2")
