"""CPU of the whole extraction against decoding the photo and the bare calls of the two detectors on it."""

from __future__ import annotations

import os

# Before NumPy comes in, which starts its threads when it is imported.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from insightface.app import FaceAnalysis

from plugins.evidence.vision import extract, load_models
from plugins.evidence.vision.loading import session_options
from tests.benchmarks.ratio import Ratio, medians
from tests.vision import weights

ROUNDS = 25


def measure() -> Iterator[Ratio]:
    """Measure both."""
    photo = weights.six_people()
    with tempfile.TemporaryDirectory() as folder:
        models = weights.face_models(Path(folder))
        loaded = load_models(str(models), str(weights.yolo()), str(weights.coco_labels()))
        ours, bare, ratio = medians(*interleaved([lambda: extract(photo, (), loaded), bare_calls(photo, models)]))
    yield Ratio(
        name="CPU, vision job",
        ours=f"{ours:.1f} ms",
        peer=f"decoding and bare detectors {bare:.1f} ms",
        ratio=ratio,
        at_most=1.25,
    )


def bare_calls(photo: bytes, models: Path) -> Callable[[], object]:
    """Return decoding, InsightFace as its manual shows it, and the object model's run alone on a ready tensor.

    The tensor has the shape that the extraction gives it for this photo, so neither side computes less.
    """
    faces = FaceAnalysis(
        name=str(models),
        allowed_modules=["detection"],
        providers=["CPUExecutionProvider"],
        sess_options=session_options(),
    )
    faces.prepare(ctx_id=-1, det_size=(640, 640))
    things = onnxruntime.InferenceSession(weights.yolo(), session_options(), providers=["CPUExecutionProvider"])
    content = np.frombuffer(photo, np.uint8)
    tensor = cv2.dnn.blobFromImage(cv2.imdecode(content, cv2.IMREAD_COLOR), 1 / 255, (640, 448), swapRB=True)

    def calls() -> object:
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
        return faces.get(picture), things.run(None, {"images": tensor})

    return calls


def interleaved(works: list[Callable[[], object]]) -> list[list[float]]:
    """Return the CPU milliseconds of each work in each round, taken in turns so that both meet the same machine."""
    taken: list[list[float]] = [[] for _ in works]
    for each in works:
        each()
    for _ in range(ROUNDS):
        for each, times in zip(works, taken, strict=True):
            started = time.process_time()
            each()
            times.append((time.process_time() - started) * 1000)
    return taken
