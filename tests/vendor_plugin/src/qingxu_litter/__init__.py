"""Litter (散落物统计): what lay about in the photos that evidence was taken from."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="litter", title="散落物统计", version="1.2.0", platform=">=0.1,<0.2", needs=("evidence",))
