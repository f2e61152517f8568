"""Templates of faces by InsightFace's recogniser (ArcFace). Loaded when a face is compared, and never before."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from insightface.model_zoo import get_model
from insightface.utils.face_align import arcface_dst
from numpy.typing import NDArray

from plugins.evidence.vision.loading import model_file, session_options
from plugins.evidence.vision.results import Face, ModelFile, ModelMissing, Pixels

#: The recogniser's input, in pixels.
SIDE = 112


class Recogniser:
    """A loaded recogniser; `file` tells which."""

    def __init__(self, arcface: Any, file: ModelFile) -> None:
        self._arcface = arcface
        self.file = file

    def template(self, photo: Pixels, face: Face) -> NDArray[np.float32]:
        """Return the template of a face on a BGR photo: 512 numbers of unit length."""
        features = self._arcface.get_feat(aligned(photo, face))[0]
        return cast(NDArray[np.float32], (features / np.linalg.norm(features)).astype(np.float32))


@lru_cache(maxsize=1)
def load_recogniser(folder: Path) -> Recogniser:
    """Load the recogniser of a folder of ONNX files, once; raises ModelMissing when there is none."""
    for path in sorted(folder.glob("*.onnx")):
        try:
            model = get_model(str(path), providers=["CPUExecutionProvider"], sess_options=session_options())
        except Exception:  # noqa: S112 - ONNX Runtime raises a kind of its own for each way to be unreadable
            continue
        if model is not None and model.taskname == "recognition":
            return Recogniser(model, model_file(path))
    raise ModelMissing(f"文件夹 {folder} 中没有人脸识别模型，无法进行人脸比对。")


def aligned(photo: Pixels, face: Face) -> Pixels:
    """Return the face as the recogniser wants it: turned, moved and scaled until its five points lie in their places.

    Least squares over all similarities; as complex numbers, it is one straight line: to = a * from + b.
    """
    points, target = (np.asarray(each, np.float64) @ (1, 1j) for each in (face.points, arcface_dst))
    centred = points - points.mean()
    a = (np.conj(centred) @ (target - target.mean())) / max(float(np.abs(centred) @ np.abs(centred)), 1e-9)
    b = target.mean() - a * points.mean()
    move = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return cast(Pixels, cv2.warpAffine(photo, move, (SIDE, SIDE)))
