"""The cockpit (驾驶舱): a big screen that shows what plugins hand it."""

from dash_cockpit.bundles import warm
from dash_cockpit.shell import PREFIX, mount
from dash_cockpit.sources import CockpitSources, MapArea, Owned

__all__ = ["PREFIX", "CockpitSources", "MapArea", "Owned", "mount", "warm"]
