"""The pages say what the code says: what is written from it is up to date, and what is named exists."""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from backend.settings import Settings, variable
from tests.docs import facts, pages
from tests.docs.facts import ROOT
from tests.docs.generated import MARKED, renewed

PAGES = pages.pages()
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
EVERYTHING = "\n".join(TEXTS.values())
#: Addresses of plugins that the pages write themselves, and the one that another specification describes.
EXAMPLES = {"/api/v1/noise-readings", "/api/v1/noise_readings", "/api/v1/open311"}


@pytest.mark.parametrize("name", PAGES)
def test_what_is_written_from_the_code_is_up_to_date(name: str) -> None:
    assert renewed(TEXTS[name]) == TEXTS[name], "run: python -m tests.docs.write"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for link in pages.links(TEXTS[name]):
        if re.match(r"https?:", link):
            continue
        address, _, anchor = link.partition("#")
        target = (PAGES[name].parent / address).resolve() if address else PAGES[name]
        assert target.exists(), f"{name}: {link}"
        if anchor:
            assert anchor in pages.anchors(target.read_text(encoding="utf-8")), f"{name}: {link}"


def test_the_readme_leads_to_every_page() -> None:
    assert {f"docs/{path.name}" for path in pages.DOCS.glob("*.md")} <= set(pages.links(TEXTS["README.md"]))


def test_every_setting_stands_on_its_page_once_and_no_page_names_another() -> None:
    listed = [name for words in MARKED.findall(TEXTS["docs/settings.md"]) for name in words.split()[1:]]
    known = [each.name for each in dataclasses.fields(Settings)]
    assert sorted(listed) == sorted(known)
    named = set(re.findall(r"QINGXU_[A-Z0-9_]*[A-Z0-9]", EVERYTHING))
    assert named <= {variable(name) for name in known}


def test_every_command_has_its_line_with_its_options() -> None:
    table = pages.section(TEXTS["docs/deployment.md"], "Commands")
    commands = facts.commands()
    assert sorted(pages.first_cells(table)) == sorted(commands)
    for name, command in commands.items():
        line = next(each for each in table.splitlines() if each.startswith(f"| `{name}`"))
        options = {option for each in command.params for option in each.opts if option.startswith("--")}
        assert set(re.findall(r"--[a-z-]+", line)) == options, name


def test_commands_that_are_shown_exist() -> None:
    shown = set(re.findall(r"python -m backend ([a-z-]+)", EVERYTHING))
    assert shown <= {name.split()[0] for name in facts.commands()}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = {
        target for code in re.findall(r"`make ([a-z]+)|^make ([a-z]+)", EVERYTHING, re.MULTILINE) for target in code
    }
    assert {"run", "test", "bench"} <= shown and shown - {""} <= targets


def test_every_audit_action_has_its_line() -> None:
    rows = pages.first_cells(pages.section(TEXTS["docs/api.md"], "The audit trail"))
    registers = [each.noun for each in facts.RESOURCES]
    listed = {row.replace("<register>", noun) for row in rows for noun in registers}
    assert listed == facts.audit_actions()
    words = pages.section(TEXTS["docs/api.md"], "The audit trail").partition("|")[0]
    assert set(re.findall(r"`([a-z_]+)`", words)) == set(registers)


def test_addresses_that_are_named_exist() -> None:
    known = {path for _, path in facts.addresses()} | EXAMPLES
    address = r"/api/v1(?:/(?:[\w-]+|\{\w+\}))+"
    for text in set(re.findall(address, EVERYTHING)):
        # An id that an example spells out stands for any.
        assert re.sub(r"\{\w+\}|\b[0-9a-f]{24}\b", "{}", text) in known, text
    for method, text in re.findall(rf"\b(GET|POST|PUT|PATCH|DELETE) ({address})", EVERYTHING):
        place = re.sub(r"\{\w+\}|\b[0-9a-f]{24}\b", "{}", text)
        assert place in EXAMPLES or (method, place) in facts.addresses(), f"{method} {text}"


def test_the_registers_table_names_every_address_and_permission() -> None:
    table = pages.section(TEXTS["docs/api.md"], "Registers")
    rows = re.findall(r"^\| `(\w+) (/\S+)` \|.*\| `([\w:]+)` \|$", table, re.MULTILINE)
    shown = {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path, _ in rows}
    assert shown == {each for each in facts.addresses() if each[1].startswith("/api/v1/compounds")}
    assert {permission for _, _, permission in rows} <= {each.name for each in facts.registry().permissions}


def test_permissions_events_and_codes_that_are_named_exist() -> None:
    registry = facts.registry()
    modules = {each.module for each in registry.permissions}
    named = {each for each in re.findall(r"`([a-z_]+:[a-z_]+)`", EVERYTHING) if each.partition(":")[0] in modules}
    assert named <= {each.name for each in registry.permissions}
    nouns = {each.name.partition(".")[0] for each in registry.events}
    checks = {each.name for each in registry.health_checks}
    known = {each.name for each in (*registry.events, *registry.jobs)} | checks
    for event in re.findall(r"`([a-z_]+\.[a-z_]+)`", EVERYTHING):
        assert event.partition(".")[0] not in nouns or event in known, event
    # A problem code is called by its name and its status.
    codes = {each.code: str(each.status) for each in registry.problem_codes}
    for code, status in re.findall(r"`([a-z_]+)` \((\d{3})\)", EVERYTHING):
        assert codes.get(code) == status, code


def test_every_problem_code_belongs_to_a_table() -> None:
    owners = {facts.registry().owner_of(each) for each in facts.registry().problem_codes}
    written = {words.split()[1] for words in MARKED.findall(TEXTS["docs/api.md"]) if words.startswith("problems ")}
    assert written == owners


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {"The platform": project["dependencies"]}
    wanted |= {f"Extra `{extra}`": names for extra, names in project["optional-dependencies"].items()}
    page = TEXTS["docs/dependencies.md"]
    assert [heading for heading in pages.headings(page) if heading not in wanted] == ["Dependencies"]
    for heading, requirements in wanted.items():
        names = sorted(re.match(r"[\w.-]+", each)[0] for each in requirements)  # type: ignore[index]
        assert sorted(pages.first_cells(pages.section(page, heading))) == names
    rows = re.findall(r"^\| `[^`]+` \| ([^|]*) \| ([^|]*) \|$", page, re.MULTILINE)
    assert rows and all(licence.strip() and reason.strip() for licence, reason in rows)


def test_the_folder_map_is_the_tree() -> None:
    [tree] = pages.fenced(pages.section(TEXTS["docs/architecture.md"], "Folders"), "text")
    shown, above = set(), ""
    for line in tree.splitlines():
        name = line.split()[0]
        above = name if not line.startswith(" ") else above
        shown.add(name if not line.startswith(" ") else above + name)
    inner = {f"{child.relative_to(ROOT)}/" for top in ("backend", "plugins") for child in packages(ROOT / top)}
    outer = {f"{child.name}/" for child in packages(ROOT)} | {"wsgi.py", "docs/", "tests/"}
    assert shown == inner | outer


def packages(folder: Path) -> list[Path]:
    """Return the packages that lie in a folder."""
    return [child for child in folder.iterdir() if (child / "__init__.py").is_file()]


def test_the_floors_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(each for each in contracts if each["type"] == "layers")["layers"]
    lines = re.findall(r"^\d+\. (.+)$", pages.section(TEXTS["docs/architecture.md"], "Floors"), re.MULTILINE)
    shown = [sorted(re.findall(r"`backend\.(\w+)`", line)) for line in lines]
    wanted = [sorted(set(re.split(r"[ |:]+", layer)) - {"__main__"}) for layer in layers]
    assert [each for each in shown if each] == [each for each in wanted if each]


@pytest.mark.parametrize("name", PAGES)
def test_python_in_the_pages_is_python(name: str) -> None:
    for code in pages.fenced(MARKED.sub("", TEXTS[name]), "python"):
        ast.parse(code)


def test_files_that_are_named_exist() -> None:
    named = re.findall(r"`((?:plugins|tests|backend)/[\w./]+)`", "\n".join(map(pages.without_code, TEXTS.values())))
    missing = {each for each in named if not (ROOT / each).exists()}
    assert missing <= {"plugins/noise", "tests/noise"}
