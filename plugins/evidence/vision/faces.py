"""Faces, found by InsightFace's SCRFD detector. Here they are found, never recognised: see `recogniser.py`."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from insightface.app import FaceAnalysis

from plugins.evidence.vision.loading import model_file, session_options
from plugins.evidence.vision.results import Box, Face, ModelFile, ModelMissing, Pixels

#: A face counts as found from this score on; from the lower one it is masked, since a mask too many does no harm.
CERTAIN = 0.5
POSSIBLE = 0.3

#: The detector sees a face of 40 px if the photo is shrunk to this part at most (measured: 17 px found, 10 px not).
SHRINK = 0.45
#: Bounds of the longer side that the detector looks at, in pixels; the upper one bounds the cost of huge photos.
SMALLEST_LOOK, LARGEST_LOOK = 640, 1920
#: A second look at this size catches faces that fill the picture.
FAR_LOOK = 128
#: A face lower than this in the look is near the limit: where one is, there may be more beyond it.
SMALL_FACE = 30
#: A quick look takes this part of the longer side.
QUICK_LOOK = 0.6
#: A box means the face that it overlaps best, if by so much (intersection over union): a cut-out's box has a margin.
MEANT = 0.2

#: The detector's coarsest grid, in pixels.
GRID = 32


class FaceDetector:
    """A loaded detector; `file` tells which."""

    def __init__(self, scrfd: Any, file: ModelFile) -> None:
        self._scrfd = scrfd
        self.file = file

    def find(self, photo: Pixels, *, quick: bool = False) -> list[Face]:
        """Return the possible faces on a BGR photo, best first; boxes lie within the photo.

        Where faces are small it looks again from twice as near. A `quick` look is one from further away, for a third
        of the work.
        """
        longer = max(photo.shape[:2])
        near = min(max(SMALLEST_LOOK, longer * SHRINK), LARGEST_LOOK)
        if quick:
            return self._seen(photo, near * QUICK_LOOK)
        faces = self._seen(photo, FAR_LOOK, near)
        if near < LARGEST_LOOK and any(face.height * near < SMALL_FACE * longer for face in faces):
            faces = self._seen(photo, FAR_LOOK, near, min(near * 2, LARGEST_LOOK))
        return faces

    def _seen(self, photo: Pixels, *sides: float) -> list[Face]:
        """Look once for each longer side, in pixels; what several looks show counts once."""
        height, width = photo.shape[:2]
        looks = [_look(width, height, side) for side in sides]
        boxes, points = self._scrfd.detect(photo, input_size=looks, det_thresh=POSSIBLE)
        inside = np.clip(boxes[:, :4], 0, np.array([width, height, width, height], dtype=np.float32))
        return [
            Face(tuple(box.tolist()), float(score), tuple(map(tuple, five.tolist())))
            for box, score, five in zip(inside, boxes[:, 4], points, strict=True)
        ]


def load_face_detector(folder: Path) -> FaceDetector:
    """Load the detector of a folder of ONNX files; other models in it are left alone. Raises ModelMissing."""
    try:
        # Given a folder that exists, InsightFace asks no network.
        analysis = FaceAnalysis(
            name=str(folder),
            allowed_modules=["detection"],
            providers=["CPUExecutionProvider"],
            sess_options=session_options(),
            static_shape_sessions=False,  # one session for photos of every shape
        )
        analysis.prepare(ctx_id=-1)
    except AssertionError as error:  # its way to say that none of the files is a detector
        raise ModelMissing(f"文件夹 {folder} 中没有人脸检测模型。") from error
    except Exception as error:  # ONNX Runtime raises a kind of its own for each way to be unreadable
        raise ModelMissing(f"文件夹 {folder} 中的人脸模型无法读取。") from error
    if not analysis.det_model.use_kps:
        raise ModelMissing(f"文件夹 {folder} 中的人脸检测模型不含五官关键点，无法使用。")
    return FaceDetector(analysis.det_model, model_file(Path(analysis.det_model.model_file)))


def at(box: Box, found: Iterable[Face]) -> Face | None:
    """Return the face that a box means: the one that it overlaps best, with its middle inside; None without one."""
    best = max(found, key=lambda face: overlap(face.box, box), default=None)
    if best is None or overlap(best.box, box) < MEANT:
        return None
    left, top, right, bottom = best.box
    inside = box[0] <= (left + right) / 2 <= box[2] and box[1] <= (top + bottom) / 2 <= box[3]
    return best if inside else None


def overlap(one: Box, other: Box) -> float:
    """Return what two boxes share of what they cover together, from 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def _look(width: int, height: int, side: float) -> tuple[int, int]:
    """Return width and height of the input in whole grid cells: the photo's shape, so that no padding is computed."""
    shrink = side / max(width, height)
    return ceil(width * shrink / GRID) * GRID, ceil(height * shrink / GRID) * GRID
