"""Evidence (取证固证): what a camera saw is kept unaltered, and the people in it are protected."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="evidence", title="取证固证", version="0.1.0", platform=">=0.1,<0.2", needs=("base_info",))
