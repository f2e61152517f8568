"""Each hook says when it is called and what to return, with an example that runs as it stands."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any

import pluggy
import pytest

from backend import plugin_api
from backend.plugin_api import hooks
from backend.plugins_host import addresses
from backend.plugins_host.kinds import KINDS, check_records

SPECS = {
    name: function
    for name, function in vars(hooks).items()
    if inspect.isfunction(function) and hasattr(function, f"{hooks.PROJECT}_spec")
}
KIND_OF = {kind.hook: kind for kind in KINDS}


def example(name: str) -> dict[str, Any]:
    """Run the example of a hook as the text of a plugin that imported what it needs from the plugin API."""
    before, marker, code = inspect.getdoc(SPECS[name]).partition("For example::\n")
    assert before.strip() and marker, f"{name} has no example"
    namespace = dict(vars(plugin_api))
    exec(textwrap.dedent(code), namespace)
    return namespace


@pytest.mark.parametrize("name", SPECS)
def test_the_example_fits_the_hook(name: str) -> None:
    plugin = type("noise", (), {name: staticmethod(example(name)[name])})
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    manager.register(plugin, "noise")
    manager.check_pending()
    assert getattr(manager.hook, name).get_hookimpls()


@pytest.mark.parametrize("name", KIND_OF)
def test_the_example_registers_what_the_host_takes(name: str) -> None:
    records = check_records(KIND_OF[name], "noise", example(name)[name]())
    assert len(records) == 1
    if name == "register_blueprints":
        assert [each.rule for each in addresses.of_blueprint(records[0], addresses.API)] == ["/api/v1/noise_readings"]
    if name == "register_pages":
        assert [each.rule for each in addresses.of_blueprint(records[0], "/noise/")] == ["/noise/map"]


def test_every_register_hook_has_its_kind_and_its_place_in_the_registry() -> None:
    assert {name for name in SPECS if name.startswith("register_")} == KIND_OF.keys()
    assert {kind.field for kind in KINDS} <= inspect.signature(plugin_api.registry.Registry).parameters.keys()


def test_what_the_examples_show_and_answer(capsys: pytest.CaptureFixture[str]) -> None:
    view = plugin_api.View(area="330110", scope={})
    assert isinstance(example("register_panels")["show_level"](view), plugin_api.Figures)
    assert example("register_map_layers")["show_meters"](view)[0].label == "一号噪声仪"
    assert example("register_health_checks")["meters"]().state == "warn"
    for name, known in (("find_compound", "C1"), ("find_device", "M1"), ("find_place", "P1")):
        find = example(name)[name]
        assert find(code=known).code == known and find(code="other") is None
    near = example("find_place_near")["find_place_near"]
    assert near(longitude=120.1, latitude=30.2, metres=50).code == "P1" and near(0, 0, 50) is None


def test_the_demo_example_walks_over_the_compounds(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    compound = plugin_api.DemoArea("330110/1/2/C1", "一号小区", "compound", [])
    district = plugin_api.DemoDistrict(seed=1, areas=[compound], by=None, data_dir=tmp_path, tell=print)
    example("load_demo")["load_demo"](district)
    assert capsys.readouterr().out == "330110/1/2/C1 一号小区\n"
