"""A plugin that needs one that needs it."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="circle_one", title="循环甲", version="1.0", platform=">=0.1,<0.2", needs=("circle_two",))
