"""A plugin that does wrong is listed with its reason, and everything else works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from mongoengine.base import get_document

from backend.identity import Permission
from backend.monitoring import faults, guard, run_checks
from backend.plugin_api import View
from backend.plugin_api.registry import PluginStatus, Registry
from backend.plugins_host import Folder

Load = Callable[..., Registry]

REFUSED = {
    "raises_on_import": ("broken", "导入代码 出错：RuntimeError: the vendor's licence server is away"),
    "exits_on_import": ("broken", "导入代码 出错：SystemExit: no licence"),
    "raises_in_hook": ("broken", "hook register_menu_entries 出错：KeyError: 'menu of [removed]'"),
    "takes_a_name": ("broken", "名称 sound_theme 已被插件 sound 使用，插件 takes_a_name 不能再用"),
    "wrong_version": ("refused", "适用平台版本 >=2,<3，当前平台为 0.1.0"),
    "takes_a_route": ("broken", "地址 /api/v1/<string:anything> 与平台的地址 /api/v1/sessions 冲突"),
    "watches_requests": ("broken", "蓝图 watches_requests 改动了全平台的请求处理"),
    "missing_need": ("refused", "所需插件未加载：no_such_plugin"),
    "needs_a_broken_one": ("refused", "所需插件未加载：raises_in_hook"),
    "circle_one": ("refused", "依赖成环：circle_one 需要 circle_two"),
    "circle_two": ("refused", "依赖成环：circle_two 需要 circle_one"),
    "bad_metadata": ("broken", "PluginInfo 的 version 须为字面值"),
    "unknown_hook": ("broken", "没有名为 register_gadgets 的钩子"),
    "wrong_type": ("broken", "register_permissions 只能返回 Permission，返回了 str"),
    "foreign_name": ("broken", "register_permissions：名称 sound:everything 不合规则，应为 <plugin>:<action>"),
    "hijacks_documents": ("broken", "名称 SoundReading 已被插件 sound 使用"),
}


@pytest.fixture
def registry(load: Load) -> Registry:
    return load()


def status(registry: Registry, name: str) -> PluginStatus:
    (found,) = [each for each in registry.plugins if each.name == name]
    return found


@pytest.mark.usefixtures("clean")
def test_each_broken_plugin_is_listed_with_its_reason(registry: Registry) -> None:
    for name, (state, reason) in REFUSED.items():
        found = status(registry, name)
        assert (found.state, reason in found.reason) == (state, True), (name, found.reason)
        assert found.reason_en and found.reason_en.isascii()
    loaded = {each.name for each in registry.plugins if each.state == "loaded"}
    assert loaded == {"sound", "slow_hook", "runs_badly"}
    assert {each.name for each in registry.plugins} == loaded | REFUSED.keys()
    assert all(each.title for each in registry.plugins if each.name != "bad_metadata")


@pytest.mark.usefixtures("clean")
def test_nothing_of_a_broken_plugin_is_left(registry: Registry) -> None:
    owners = {
        registry.owner_of(record)
        for kind in (registry.permissions, registry.blueprints, registry.menu_entries, registry.panels, registry.themes)
        for record in kind
    }
    assert owners == {"platform", "sound", "slow_hook", "runs_badly"}
    assert [each.name for each in registry.permissions] == [
        "platform:health",
        "runs_badly:view",
        "slow_hook:view",
        "sound:edit",
        "sound:view",
    ]


@pytest.mark.usefixtures("clean")
def test_errors_are_counted_under_the_plugins_name_without_private_data(registry: Registry) -> None:
    told = {fault.plugin: fault for fault in faults.listed()}
    assert told["raises_on_import"].where == "import"
    assert told["raises_in_hook"].where == "hook register_menu_entries"
    assert "138" not in told["raises_in_hook"].last_error
    assert "wrong_version" not in told


@pytest.mark.usefixtures("clean")
def test_a_slow_hook_is_told_and_its_plugin_works(registry: Registry) -> None:
    assert "hook register_permissions 用时 0.3 秒" in status(registry, "slow_hook").notes[0]
    assert status(registry, "sound").notes == ()


@pytest.mark.usefixtures("clean")
def test_a_panel_on_a_theme_that_nobody_opens_is_left_out_with_a_note(registry: Registry) -> None:
    assert [panel.name for panel in registry.panels] == ["runs_badly.panel", "sound.panel"]
    assert "runs_badly.lost 未显示：没有主题舱 no_such_theme" in status(registry, "runs_badly").notes


@pytest.mark.usefixtures("clean")
def test_an_error_at_run_time_stays_with_its_plugin(registry: Registry) -> None:
    found = registry.ask("find_device", code="D1")
    assert found is not None and found.name == "甲"
    assert registry.ask("find_device", code="D2") is None
    drawn = []
    for panel in registry.panels:
        with guard(registry.owner_of(panel), f"panel {panel.name}"):
            panel.show(View(area="330110", scope={}))
            drawn.append(panel.name)
    assert drawn == ["sound.panel"]
    results = {result.name: result.state for result in run_checks(registry.health_checks)}
    assert results == {"runs_badly.check": "fail", "sound.check": "ok"}
    counted = {fault.where: fault.count for fault in faults.listed() if fault.plugin == "runs_badly"}
    assert counted == {"hook find_device": 2, "panel runs_badly.panel": 1}


@pytest.mark.usefixtures("clean")
def test_the_routes_that_are_left_answer_beside_the_platforms(registry: Registry, app: Flask) -> None:
    for blueprint in registry.blueprints:
        app.register_blueprint(blueprint)
    client = app.test_client()
    assert client.post("/api/v1/sessions").json == {"login": "platform"}
    assert client.get("/api/v1/sounds").json == {"sound": "yes"}
    assert client.get("/api/v1/watches").status_code == 404


@pytest.mark.usefixtures("clean")
def test_a_document_of_the_same_name_does_not_hide_the_first(registry: Registry) -> None:
    (document,) = registry.documents
    assert get_document("SoundReading") is document
    assert document._get_collection_name() == "sound_readings"


def test_no_plugin_may_take_the_name_of_a_part_of_the_platform(load: Load) -> None:
    registry = load(core=Registry(permissions=(Permission("sound:secret", "平台"),)))
    assert status(registry, "sound").reason == "sound 是平台保留的名称"


def test_plugins_can_be_disabled_by_setting(load: Load) -> None:
    registry = load(disabled_plugins=("sound", "raises_on_import"))
    assert (status(registry, "sound").state, status(registry, "sound").title) == ("disabled", "完好")
    assert status(registry, "raises_on_import").state == "disabled"
    # Whoever stands on a theme of the disabled plugin works without it.
    assert status(registry, "takes_a_name").state == "loaded"


def test_a_folder_that_is_not_there_holds_no_plugins(load: Load, tmp_path: Path) -> None:
    assert load(Folder(tmp_path / "none", "none")).plugins == ()


def test_the_name_of_a_plugin_belongs_to_the_first_even_when_that_is_disabled(load: Load, tmp_path: Path) -> None:
    folders = []
    for place in ("one", "two"):
        plugin = tmp_path / place / "twin"
        plugin.mkdir(parents=True)
        (plugin / "__init__.py").write_text(
            'PLUGIN = PluginInfo(name="twin", title="双", version="1", platform=">=0.1")'
        )
        folders.append(Folder(tmp_path / place, place))
    statuses = load(*folders, disabled_plugins=("twin",)).plugins
    assert [each.state for each in statuses] == ["disabled", "broken"]
    assert "one/twin" in statuses[1].reason and "one/twin and two/twin" in statuses[1].reason_en
