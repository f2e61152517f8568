"""What a plugin's author reads: every hook, record and name, and a whole plugin that runs."""

from __future__ import annotations

import dataclasses
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mongoengine.base.common import _document_registry

import backend.app
import dash_cockpit
from backend import plugin_api
from backend.identity import install_roles, keep_areas
from backend.plugin_api import registry as registries
from backend.plugins_host import Folder, load_plugins
from backend.plugins_host.kinds import KINDS
from backend.settings import Settings
from backend.storage import ensure_indexes
from dash_cockpit.platform import sources
from tests.district import AREAS, DISTRICT, EAST, WEST, District
from tests.docs import facts, pages

HOOKS, RECORDS, PLUGINS = pages.read("hooks"), pages.read("records"), pages.read("plugins")


def test_every_hook_has_its_heading_with_its_exact_arguments_and_no_other_has() -> None:
    headed = re.findall(r"^### `(.+)`$", HOOKS, re.MULTILINE)
    assert headed == [facts.signature(name) for name in facts.HOOKS]


@pytest.mark.parametrize("name", facts.HOOKS)
def test_each_hook_says_when_it_is_called_what_to_return_and_what_none_means(name: str) -> None:
    text = pages.section(HOOKS, f"`{facts.signature(name)}`")
    assert re.findall(r"^- \*\*(\w+)\*\* ", text, re.MULTILINE) == ["Called", "Return", "None"]
    assert text.count("```python") == 1
    if kind := next((each for each in KINDS if each.hook == name), None):
        assert kind.type.__name__ in pages.without_code(text)


def records() -> list[str]:
    """Return the records of the face."""
    things = {name: getattr(plugin_api, name) for name in plugin_api.__all__}
    return sorted(name for name, each in things.items() if isinstance(each, type) and dataclasses.is_dataclass(each))


def test_every_record_has_its_heading_and_every_field_its_line() -> None:
    headed = re.findall(r"^### (\w+)$", RECORDS, re.MULTILINE)
    assert sorted(headed) == records()
    for name in headed:
        fields = [each.name for each in dataclasses.fields(getattr(plugin_api, name)) if each.init]
        assert pages.listed(pages.section(RECORDS, name)) == fields, name


def test_the_kinds_of_content_are_all_named() -> None:
    table = pages.section(PLUGINS, "The cockpit")
    assert set(pages.first_cells(table)) == {each.__name__ for each in plugin_api.Content.__args__}
    tones = {tone for tone in plugin_api.Tone.__args__ if f"`{tone}`" not in table}
    assert not tones


def test_names_of_the_face_that_are_used_exist() -> None:
    code = "\n".join(block for page in (PLUGINS, HOOKS) for block in pages.fenced(page, "python"))
    used = set(re.findall(r"\bapi\.(\w+)", code)) | set(re.findall(r"^@(\w+)$", code, re.MULTILINE))
    assert used <= set(plugin_api.__all__)


@pytest.fixture
def noise(store: Settings, clean: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[District]:
    """Start a platform whose plugins are the one of the page, written as the page has it."""
    for name, text in pages.files(PLUGINS).items():
        file = tmp_path / "handbook" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = Folder(tmp_path / "handbook", "handbook")
    monkeypatch.setattr(
        backend.app, "load_plugins", lambda settings, **options: load_plugins(settings, folders=[folder], **options)
    )
    before = registries.installed()
    try:
        app = backend.app.create_app(store, with_installed=False)
        dash_cockpit.mount(app, sources())
        ensure_indexes(registries.installed().documents)
        install_roles(registries.installed().permissions)
        keep_areas(AREAS)
        yield District(app, clean)
    finally:
        registries.install(before)
        backend.app.spread(before)
        _document_registry.pop("NoiseReading", None)
        for name in [each for each in sys.modules if each.partition(".")[0] == "handbook"]:
            del sys.modules[name]
        importlib.invalidate_caches()


def test_the_plugin_of_the_page_works(noise: District) -> None:
    [status] = registries.installed().plugins
    assert (status.name, status.state, status.reason, status.notes) == ("noise", "loaded", "", ())
    staff = noise.sign_in("district_staff", DISTRICT)
    for area, decibels in ((EAST, 50), (EAST, 55), (WEST, 70)):
        assert staff.add("noise-readings", area=area, decibels=decibels) == {"area": area, "decibels": decibels}
    neighbour = noise.sign_in("street_staff", WEST)
    assert neighbour.call("POST", "/api/v1/noise-readings", json={"area": EAST, "decibels": 1}).status_code == 403
    assert neighbour.call("POST", "/api/v1/noise-readings", json={"area": WEST}).json["fields"] == {
        "decibels": ["必填。"]
    }
    panel = "/cockpit/data/panels/noise.level"
    east = noise.sign_in("street_staff", EAST)
    for person, average in ((staff, "58.3"), (east, "52.5"), (neighbour, "70")):
        answer = person.call("GET", panel)
        assert (answer.status_code, answer.headers["X-Cockpit-State"]) == (200, "fresh"), answer.text
        assert f'"{average}"' in answer.text and "平均噪声" in answer.text
    resident = noise.sign_in("resident", EAST)
    assert resident.call("GET", panel).status_code == 404


def test_the_readme_shows_the_same_plugin_in_forty_lines() -> None:
    code = pages.files(PLUGINS)["noise/plugin.py"]
    assert code in pages.fenced((facts.ROOT / "README.md").read_text(encoding="utf-8"), "python")
    assert sum(1 for line in code.splitlines() if line.strip()) <= 40
