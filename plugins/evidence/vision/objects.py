"""Objects, found by whichever ONNX detector is configured, in one of the two layouts in common use.

    YOLOX       input BGR 0..255, output [1, N, 5 + classes], centre and size still relative to each grid cell
    YOLOv8/11   input RGB 0..1,   output [1, 4 + classes, N], centre and size in pixels of the input

Both take the photo shrunk into the top left corner, the rest filled with grey 114. Neither suppresses duplicates.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from plugins.evidence.vision.loading import model_file, session_options
from plugins.evidence.vision.results import FoundObject, ModelFile, ModelMissing, Pixels

Floats = NDArray[np.float32]
Layout = Literal["yolox", "yolov8"]

#: The least score that counts, and how much two boxes of one class may overlap (intersection over union).
THRESHOLD = 0.35
MAX_OVERLAP = 0.5
#: The best so many are kept.
MAX_OBJECTS = 50

#: The longer side of the input of a model that takes any size.
FREE_SIDE = 640
GRIDS = (8, 16, 32)
GREY = 114


class ObjectDetector:
    """A loaded detector; `file` tells which, `labels` are the classes it knows, `layout` how it speaks."""

    def __init__(self, path: Path, label_file: str) -> None:
        """Load and try the model; raises ModelMissing when its shapes fit neither layout or not the labels."""
        self._session = onnxruntime.InferenceSession(path, session_options(), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]
        self.file: ModelFile = model_file(path)
        self.labels: Sequence[str] = _labels(self._session, label_file)
        _, _, height, width = self._input.shape
        self._size = (width, height) if isinstance(width, int) and isinstance(height, int) else None
        self.layout: Layout = self._recognised()

    def find(self, photo: Pixels) -> list[FoundObject]:
        """Return the objects on a BGR photo, best first; boxes lie within the photo."""
        height, width = photo.shape[:2]
        size = self._size or _free_size(width, height)
        shrink = min(size[0] / width, size[1] / height)
        raw = self._run(_framed(photo, size, shrink))
        boxes, scores, classes = _from_yolox(raw, size) if self.layout == "yolox" else _from_yolov8(raw)
        kept = suppress(boxes, scores, classes)[:MAX_OBJECTS]
        inside = np.clip(boxes[kept] / shrink, 0, np.array([width, height, width, height]))
        return [
            FoundObject(self.labels[classes[each]], tuple(box.tolist()), "model", float(scores[each]))
            for each, box in zip(kept, inside, strict=True)
        ]

    def _run(self, frame: Pixels) -> Floats:
        # Plane by plane: five times as fast as cv2.dnn.blobFromImage.
        planes, scale = (cv2.split(frame), 1) if self.layout == "yolox" else (cv2.split(frame)[::-1], 1 / 255)
        tensor = np.empty((1, 3, *frame.shape[:2]), np.float32)
        for plane, into in zip(planes, tensor[0], strict=True):
            np.multiply(plane, np.float32(scale), out=into, dtype=np.float32)
        return self._session.run(None, {self._input.name: tensor})[0][0]

    def _recognised(self) -> Layout:
        width, height = size = self._size or (FREE_SIDE, FREE_SIDE)
        empty = np.zeros((1, 3, height, width), np.float32)
        outputs = self._session.run(None, {self._input.name: empty})
        places = len(_places(size)[0])
        classes = len(self.labels)
        if len(outputs) == 1 and outputs[0].shape == (1, places, 5 + classes):
            return "yolox"
        if len(outputs) == 1 and outputs[0].shape == (1, 4 + classes, places):
            return "yolov8"
        shapes = "、".join(str(list(each.shape)) for each in outputs)
        raise ModelMissing(f"物品检测模型的输出 {shapes} 与 {classes} 个类别名称不符，或不是 YOLOX、YOLOv8/11 格式。")


def load_object_detector(path: Path, label_file: str) -> ObjectDetector:
    """Load the detector in `path`; without a label file the names that the model carries count. Raises ModelMissing."""
    try:
        return ObjectDetector(path, label_file)
    except ModelMissing:
        raise
    except Exception as error:  # ONNX Runtime raises a kind of its own for each way to be unreadable
        raise ModelMissing(f"物品检测模型 {path} 无法读取或格式不支持。") from error


def suppress(boxes: Floats, scores: Floats, classes: NDArray[np.intp]) -> list[int]:
    """Return the indexes of the boxes to keep, best first: of two of one class that overlap much, the better one."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while waiting.size:
        best, waiting = waiting[0], waiting[1:]
        kept.append(int(best))
        corner = np.maximum(boxes[best, :2], boxes[waiting, :2])
        opposite = np.minimum(boxes[best, 2:], boxes[waiting, 2:])
        shared = np.prod(np.maximum(opposite - corner, 0), axis=1)
        overlap = shared > MAX_OVERLAP * (areas[best] + areas[waiting] - shared)
        waiting = waiting[~(overlap & (classes[waiting] == classes[best]))]
    return kept


def _framed(photo: Pixels, size: tuple[int, int], shrink: float) -> Pixels:
    width, height = min(round(photo.shape[1] * shrink), size[0]), min(round(photo.shape[0] * shrink), size[1])
    frame = np.full((size[1], size[0], 3), GREY, np.uint8)
    frame[:height, :width] = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
    return frame


def _free_size(width: int, height: int) -> tuple[int, int]:
    """Return the input's width and height: the photo's shape in whole cells, so that little padding is computed."""
    shrink, cell = FREE_SIDE / max(width, height), GRIDS[-1]
    return ceil(width * shrink / cell) * cell, ceil(height * shrink / cell) * cell


def _from_yolov8(raw: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Return corners, scores and classes of what passes the threshold."""
    best = raw[4:].max(axis=0)
    passing = np.flatnonzero(best >= THRESHOLD)
    return _corners(raw[:2, passing].T, raw[2:4, passing].T), best[passing], raw[4:, passing].argmax(axis=0)


def _from_yolox(raw: Floats, size: tuple[int, int]) -> tuple[Floats, Floats, NDArray[np.intp]]:
    best = raw[:, 4] * raw[:, 5:].max(axis=1)
    passing = np.flatnonzero(best >= THRESHOLD)
    cells, strides = (each[passing] for each in _places(size))
    found = raw[passing]
    corners = _corners((found[:, :2] + cells) * strides, np.exp(found[:, 2:4]) * strides)
    return corners, best[passing], found[:, 5:].argmax(axis=1)


def _corners(centres: Floats, sizes: Floats) -> Floats:
    return np.hstack((centres - sizes / 2, centres + sizes / 2))


@lru_cache(maxsize=8)
def _places(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return column and row of every cell of the three grids, and the cell's side in pixels, in the output's order."""
    cells, strides = [], []
    for stride in GRIDS:
        rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
        cells.append(np.stack((columns, rows), axis=-1).reshape(-1, 2))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _labels(session: onnxruntime.InferenceSession, label_file: str) -> list[str]:
    if label_file:
        return [line.strip() for line in Path(label_file).read_text("utf-8").splitlines() if line.strip()]
    names = session.get_modelmeta().custom_metadata_map.get("names")
    if not names:
        raise ModelMissing("没有配置物品类别名称文件（QINGXU_OBJECT_LABELS），模型也没有自带类别名称。")
    carried = ast.literal_eval(names)
    return [str(carried[number]) for number in range(len(carried))]
