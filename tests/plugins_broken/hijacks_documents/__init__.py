"""A plugin whose document has the name of another plugin's."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="hijacks_documents", title="顶替模型", version="1.0", platform=">=0.1,<0.2", needs=("sound",))
