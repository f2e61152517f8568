"""A plugin that needs one which is not there."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(
    name="missing_need", title="缺少依赖", version="1.0", platform=">=0.1,<0.2", needs=("no_such_plugin",)
)
