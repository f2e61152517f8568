"""Dispatch (派单处置管理): who is sent, by when, with what proof, and how it ended."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="dispatch", title="派单处置", version="0.1.0", platform=">=0.1,<0.2")
