"""Loading of the models: once per process, from files, never from the network."""

from __future__ import annotations

import ctypes
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.evidence.vision.results import ModelFile, ModelMissing

if TYPE_CHECKING:
    import onnxruntime

    from plugins.evidence.vision.faces import FaceDetector
    from plugins.evidence.vision.objects import ObjectDetector


#: Options of glibc's malloc (malloc.h), and from how many bytes on a piece goes straight back to the system.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGE_PIECE = 4 << 20


@dataclass(frozen=True)
class Models:
    """What the extraction works with; without an object model it finds faces only.

    `face_folder` may hold a recogniser, too: it is left alone until two faces are compared.
    """

    faces: FaceDetector
    objects: ObjectDetector | None
    face_folder: Path


@lru_cache(maxsize=1)
def load_models(face_models: str, object_model: str = "", object_labels: str = "") -> Models:
    """Load the models named in the settings, or return those loaded before; raises ModelMissing.

    A failure is not remembered: once the files are there, the next call loads them.
    """
    check_models(face_models, object_model, object_labels)
    try:
        import cv2

        from plugins.evidence.vision.faces import load_face_detector
        from plugins.evidence.vision.objects import load_object_detector
    except ImportError as error:
        raise ModelMissing(f"视觉组件没有装好（{error.name or error}），请安装 qingxu[vision]。") from error
    cv2.setNumThreads(1)
    _give_back_large_pieces()
    return Models(
        faces=load_face_detector(Path(face_models)),
        objects=load_object_detector(Path(object_model), object_labels) if object_model else None,
        face_folder=Path(face_models),
    )


def _give_back_large_pieces() -> None:
    """Have the memory of large pictures given back when they are gone.

    Left alone, glibc learns from the first large piece to keep all later ones, and the process grows with the largest
    photos (by some 100 MB, measured with photos up to 4K). Other C libraries do not do so.
    """
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        set_option(M_MMAP_THRESHOLD, LARGE_PIECE)
        set_option(M_TRIM_THRESHOLD, LARGE_PIECE)


def check_models(face_models: str, object_model: str = "", object_labels: str = "") -> None:
    """Look whether the configured files are there, without loading anything; raises ModelMissing."""
    if not face_models:
        raise ModelMissing("没有配置人脸检测模型（QINGXU_FACE_MODELS），照片等待处理。")
    if not any(Path(face_models).glob("*.onnx")):
        raise ModelMissing(f"人脸模型文件夹 {face_models} 不存在或没有模型文件。")
    for title, path in (("物品检测模型", object_model), ("物品类别名称文件", object_labels)):
        if path and not Path(path).is_file():
            raise ModelMissing(f"{title} {path} 不存在。")


def session_options() -> onnxruntime.SessionOptions:
    """Return the options of every session: one thread, and no burning of CPU while it waits.

    More workers scale better than more threads: on two busy cores a second thread doubles the time of a run.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False  # a plan of memory for each size of photo would be kept for good
    options.log_severity_level = 3
    return options


def model_file(path: Path) -> ModelFile:
    """Name a model by its content."""
    with path.open("rb") as file:
        return ModelFile(path.name, hashlib.file_digest(file, "sha256").hexdigest())
