"""A plugin that computes what it is, which would need its code to run."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="bad_metadata", title="元数据有误", version=".".join("10"), platform=">=0.1,<0.2")
