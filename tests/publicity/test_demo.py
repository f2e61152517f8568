"""The demo's exposures: there once, however often they are loaded, and outside of any request."""

from __future__ import annotations

from pathlib import Path

from backend.identity.resolving import principal_of
from backend.plugin_api import DemoDistrict
from plugins.publicity.exposure import demo
from plugins.publicity.exposure.models import Exposure
from tests.district import POINT, District


def test_demo_exposures_are_loaded_once(district: District, tmp_path: Path):
    administrator = district.sign_in("administrator", "")
    district.furnish(administrator)
    for point, *_rest in demo.TOLD:
        administrator.add("drop-off-points", **{**POINT, "code": point})
    told: list[str] = []
    ground = DemoDistrict(seed=1, areas=(), by=principal_of(administrator.user.id), data_dir=tmp_path, tell=told.append)
    for _ in range(2):
        demo.load_exposures(ground)
    assert told == ["监督曝光：6", "监督曝光：6"]
    assert sorted(each.state for each in Exposure.objects) == ["converting"] * 2 + ["received"] * 3 + ["rejected"]
