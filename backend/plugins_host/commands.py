"""`python -m backend new-plugin`: a working plugin in the house's shape, with tests that pass as written."""

from __future__ import annotations

import keyword
from pathlib import Path
from string import Template

import click

import backend
from backend.plugins_host.discovery import IN_TREE, ROOT
from backend.plugins_host.metadata import NAME

SCAFFOLD = Path(__file__).with_name("scaffold")


@click.command("new-plugin")
@click.argument("name")
@click.option("--title", default="", help="Name on screen, in Chinese; the plugin's name if left out.")
@click.option(
    "--external",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a package to be installed by itself into this folder, not into the source tree.",
)
def new_plugin(name: str, title: str, external: Path | None) -> None:
    """Write a working plugin NAME (lower-case letters, digits, underscores) with its tests. 新建插件."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise click.BadParameter(
            "use lower-case letters, digits and underscores, beginning with a letter", param_hint="NAME"
        )
    if not title.isprintable() or set(title) & set('"\\{}$'):
        raise click.BadParameter("use plain words without quotes, braces and signs", param_hint="--title")
    if external is None and not (ROOT / "tests").is_dir():
        raise click.ClickException("This platform is installed without its source tree: use --external DIR.")
    files = external_files(external, name) if external else tree_files(name)
    package = f"qingxu_{name}" if external else f"plugins.{name}"
    if taken := [folder for folder in plugin_folders(name, external) if folder.exists()]:
        raise click.ClickException(f"{taken[0]} exists already.")
    words = {
        "name": name,
        "title": title or name,
        "path": name.replace("_", "-"),
        "class": "".join(part.capitalize() for part in name.split("_")),
        "package": package,
        "platform": platform_window(backend.__version__),
    }
    for target, template in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        click.echo(f"wrote {target}")
    click.echo(next_step(name, external))


def tree_files(name: str) -> dict[Path, Path]:
    """Return target and template of each file of a built-in plugin."""
    tests = ROOT / "tests" / name
    return {
        **package_files(IN_TREE[0].path / name),
        tests / f"test_{name}.py": SCAFFOLD / "tests" / "test_plugin.py.txt",
    }


def external_files(folder: Path, name: str) -> dict[Path, Path]:
    """Return target and template of each file of a package of its own."""
    return {
        folder / "pyproject.toml": SCAFFOLD / "external" / "pyproject.toml.txt",
        folder / "README.md": SCAFFOLD / "external" / "README.md.txt",
        **package_files(folder / "src" / f"qingxu_{name}"),
        folder / "tests" / "conftest.py": SCAFFOLD / "external" / "conftest.py.txt",
        folder / "tests" / f"test_{name}.py": SCAFFOLD / "tests" / "test_plugin.py.txt",
    }


def package_files(folder: Path) -> dict[Path, Path]:
    """Return target and template of each module of the plugin itself."""
    return {
        folder / template.name.removesuffix(".txt"): template for template in sorted((SCAFFOLD / "package").iterdir())
    }


def plugin_folders(name: str, external: Path | None) -> list[Path]:
    """Return the folders that must not be there yet."""
    if external is not None:
        return [external / "pyproject.toml", external / "src" / f"qingxu_{name}"]
    return [*(folder.path / name for folder in IN_TREE), ROOT / "tests" / name]


def platform_window(version: str) -> str:
    """Return the versions that a plugin made now fits: `>=0.1,<0.2` for platform 0.1.4."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return f">={major}.{minor},<{major}.{minor + 1}"


def next_step(name: str, external: Path | None) -> str:
    """Say how to try it out."""
    return f"Try it: cd {external} && pip install -e . && pytest" if external else f"Try it: pytest tests/{name}"
