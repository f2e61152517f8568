"""A plugin that needs a broken one."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(
    name="needs_a_broken_one", title="依赖损坏", version="1.0", platform=">=0.1,<0.2", needs=("raises_in_hook",)
)
