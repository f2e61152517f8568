"""A plugin for another version of the platform; none of its code may run."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="wrong_version", title="版本不符", version="1.0", platform=">=2,<3")
