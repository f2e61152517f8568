"""Ranking (物业小区排名分析): the points of each compound, what each was given for, and what was said against it."""

from backend.plugin_api import PluginInfo

PLUGIN = PluginInfo(name="ranking", title="物业小区考核", version="0.1.0", platform=">=0.1,<0.2")
