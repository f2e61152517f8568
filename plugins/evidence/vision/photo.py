"""One photo, decoded once, with everything done to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import cast

import cv2
import numpy as np

from plugins.evidence.vision import cutouts, faces, objects
from plugins.evidence.vision.loading import Models
from plugins.evidence.vision.results import (
    Extraction,
    Face,
    FoundObject,
    ModelFile,
    Picture,
    Pixels,
    Region,
    UnreadablePhoto,
)

#: A strip longer than this many times its width cannot be shrunk for the detectors; no camera makes one.
LONGEST_STRIP = 10

FACE_TOOL = f"insightface {version('insightface')}"
OBJECT_TOOL = f"onnxruntime {version('onnxruntime')}"

PARAMETERS: Mapping[str, str | float] = {
    "face_tool": FACE_TOOL,
    "face_threshold": faces.CERTAIN,
    "mask_threshold": faces.POSSIBLE,
    "face_shrink": faces.SHRINK,
    "object_tool": OBJECT_TOOL,
    "object_threshold": objects.THRESHOLD,
    "object_overlap": objects.MAX_OVERLAP,
    "opencv": cv2.__version__,
}


def extract(photo: bytes, regions: Sequence[Region], models: Models) -> Extraction:
    """Find, cut out and mask everything on one JPEG, PNG or WebP; raises UnreadablePhoto or MaskingFailed."""
    picture = decode(photo)
    height, width = picture.shape[:2]
    detector = models.objects.file if models.objects is not None else None
    possible = models.faces.find(picture)
    found_faces = [face for face in possible if face.score >= faces.CERTAIN]
    found_objects = [_placed(region, width, height) for region in regions]
    if models.objects is not None:
        found_objects += models.objects.find(picture)
    masked, places = cutouts.masked(picture, possible, models.faces)
    return Extraction(
        width=width,
        height=height,
        faces=tuple(found_faces),
        objects=tuple(found_objects),
        pictures=(
            *_faces_cut(picture, found_faces, models.faces.file),
            *_objects_cut(picture, found_objects, detector),
            *_masked(masked, models.faces.file),
        ),
        masked=places,
        face_detector=models.faces.file,
        detector=detector,
        parameters=PARAMETERS,
    )


def decode(photo: bytes) -> Pixels:
    """Return the photo as BGR, turned upright as its EXIF says; raises UnreadablePhoto."""
    try:
        picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UnreadablePhoto from error
    if picture is None or max(picture.shape[:2]) > LONGEST_STRIP * min(picture.shape[:2]):
        raise UnreadablePhoto
    return cast(Pixels, picture)


def _placed(region: Region, width: int, height: int) -> FoundObject:
    """Put a region of the platform onto the photo; of a polygon counts what it spans."""
    left, top, right, bottom = region.get("box") or _spanned(region["points"])
    box = (left * width, top * height, right * width, bottom * height)
    return FoundObject(region["label"], box, "platform", region.get("score"))


def _spanned(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    across, down = zip(*points, strict=True)
    return min(across), min(down), max(across), max(down)


def _faces_cut(picture: Pixels, found: Sequence[Face], file: ModelFile) -> Iterator[Picture]:
    made_by = _made_by(FACE_TOOL, file, threshold=faces.CERTAIN, margin=cutouts.FACE_MARGIN)
    for face in found:
        box, content = cutouts.cut(picture, face.box, cutouts.FACE_MARGIN)
        yield Picture("face", content, box, made_by, score=face.score, source="model", comparable=face.comparable)


def _objects_cut(picture: Pixels, found: Sequence[FoundObject], file: ModelFile | None) -> Iterator[Picture]:
    for each in found:
        if each.source == "model":
            made_by = _made_by(OBJECT_TOOL, file, threshold=objects.THRESHOLD, margin=cutouts.OBJECT_MARGIN)
        else:
            made_by = _made_by("platform", margin=cutouts.OBJECT_MARGIN)
        box, content = cutouts.cut(picture, each.box, cutouts.OBJECT_MARGIN)
        yield Picture("object", content, box, made_by, each.label, each.score, each.source)


def _masked(masked: Pixels, file: ModelFile) -> Iterator[Picture]:
    made_by = _made_by(FACE_TOOL, file, threshold=faces.POSSIBLE, mask_size=cutouts.MASK_SIZE)
    whole = (0, 0, masked.shape[1], masked.shape[0])
    yield Picture("masked_copy", cutouts.encode(masked, cutouts.COPY_QUALITY), whole, made_by)
    yield Picture("masked_thumbnail", cutouts.thumbnail(masked), whole, made_by)


def _made_by(tool: str, model: ModelFile | None = None, **parameters: float) -> Mapping[str, str | float]:
    """Say how a picture came to be, so that it can be made again from the original."""
    if model is None:
        return {"tool": tool, **parameters}
    return {"tool": tool, "model": model.name, "model_sha256": model.sha256, **parameters}
