"""Where plugins are: in the tree beside `backend`, and in installed packages."""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import backend
from backend.monitoring import get_logger
from backend.plugins_host.refusal import broken

GROUP = "qingxu.plugins"
ROOT = Path(backend.__file__).parent.parent


@dataclass(frozen=True)
class Folder:
    """A package whose sub-packages are plugins: its place and the name that it is imported by."""

    path: Path
    package: str


#: The plugins that come with the platform.
IN_TREE = (Folder(ROOT / "plugins", "plugins"), Folder(ROOT / "integrations", "integrations"))


@dataclass(frozen=True)
class Candidate:
    """A plugin that may be loaded: `source` says where it comes from, for people; `folder` where it lies, if known."""

    name: str
    package: str
    external: bool
    source: str
    folder: Path | None = None

    @property
    def module(self) -> str:
        """Return the module that holds the hook implementations."""
        return f"{self.package}.plugin"

    def init_file(self) -> Path:
        """Return the package's `__init__.py` without importing the package; raises Refusal when it is not there."""
        if self.folder is not None:
            return self.folder / "__init__.py"
        top, *inner = self.package.split(".")
        try:
            spec = importlib.util.find_spec(top)
            for index, _part in enumerate(inner, start=2):
                path = spec.submodule_search_locations if spec else None
                spec = importlib.machinery.PathFinder.find_spec(".".join(self.package.split(".")[:index]), path)
        except (ImportError, ValueError, AttributeError) as error:
            raise broken(f"找不到包 {self.package}", f"Package {self.package} cannot be found: {error}") from error
        if spec is None or spec.origin is None or spec.submodule_search_locations is None:
            raise broken(f"找不到包 {self.package}", f"Package {self.package} cannot be found")
        return Path(spec.origin)


def in_tree(folders: Iterable[Folder]) -> list[Candidate]:
    """Return the plugins that lie in `folders`, by name."""
    found = [
        Candidate(child.name, f"{folder.package}.{child.name}", False, f"{folder.package}/{child.name}", child)
        for folder in folders
        if folder.path.is_dir()
        for child in folder.path.iterdir()
        if child.name[0] not in "._" and (child / "__init__.py").is_file()
    ]
    return sorted(found, key=lambda candidate: (candidate.name, candidate.source))


def installed() -> list[Candidate]:
    """Return the plugins that installed packages offer in the entry-point group, by name."""
    try:
        points = importlib.metadata.entry_points(group=GROUP)
    except Exception as error:  # one damaged package must not keep the platform from starting
        get_logger(__name__).error("installed_plugins_unreadable", exc_info=error)
        return []
    found = [
        Candidate(point.name, point.value.removesuffix(".plugin"), True, distribution_of(point)) for point in points
    ]
    return sorted(found, key=lambda candidate: (candidate.name, candidate.source))


def distribution_of(point: importlib.metadata.EntryPoint) -> str:
    """Say which installed package an entry point belongs to, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
