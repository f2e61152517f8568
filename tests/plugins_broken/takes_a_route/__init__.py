"""A plugin that answers in the place of the platform."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="takes_a_route", title="抢占地址", version="1.0", platform=">=0.1,<0.2")
