"""A plugin that loads well and raises whenever it is asked something."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="runs_badly", title="运行出错", version="1.0", platform=">=0.1,<0.2")
