"""Real models, loaded once for all tests of vision."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.evidence.vision import Models, load_models
from tests.vision import weights


@pytest.fixture(scope="session")
def face_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the face models."""
    return weights.face_models(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def loaded(face_folder: Path) -> Models:
    """Load the face and object models."""
    return load_models(str(face_folder), str(weights.yolo()), str(weights.coco_labels()))


@pytest.fixture(scope="session")
def faces_only(face_folder: Path) -> Models:
    """Load the face model alone."""
    return load_models(str(face_folder))
