"""One photo, decoded once, with everything done to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import cast

import cv2
import numpy as np

from plugins.evidence.vision import comparison, cutouts, faces, objects, quality
from plugins.evidence.vision.loading import Models
from plugins.evidence.vision.recogniser import load_recogniser
from plugins.evidence.vision.results import (
    Box,
    Extraction,
    Face,
    FoundObject,
    ModelFile,
    NoFaceThere,
    Picture,
    Pixels,
    Region,
    Template,
    UnreadablePhoto,
)

#: A strip longer than this many times its width cannot be shrunk for the detectors; no camera makes one.
LONGEST_STRIP = 10

FACE_TOOL = f"insightface {version('insightface')}"
OBJECT_TOOL = f"onnxruntime {version('onnxruntime')}"
COMPARISON_TOOL = f"opencv {cv2.__version__} comparison"

#: How object models name people; where they stand nothing is claimed as put down.
PEOPLE = {"person", "people", "pedestrian", "人", "人员", "行人"}
#: How object models name number plates. One that knows none of these leaves plates to people.
PLATES = {"plate", "license plate", "license_plate", "licence plate", "number plate", "number_plate", "车牌"}
#: Where no object model names them: shoulders reach so many widths of the face beyond it, feet so many heights below.
BODY_WIDTH, BODY_HEIGHT = 1.0, 7.0

PARAMETERS: Mapping[str, str | float] = {
    "face_tool": FACE_TOOL,
    "face_threshold": faces.CERTAIN,
    "mask_threshold": faces.POSSIBLE,
    "face_shrink": faces.SHRINK,
    "comparison_least_score": comparison.LEAST_SCORE,
    "object_tool": OBJECT_TOOL,
    "object_threshold": objects.THRESHOLD,
    "object_overlap": objects.MAX_OVERLAP,
    "opencv": cv2.__version__,
}


def extract(photo: bytes, regions: Sequence[Region], models: Models, *, before: bytes | None = None) -> Extraction:
    """Find, cut out and mask everything on one JPEG, PNG or WebP; raises UnreadablePhoto or MaskingFailed.

    Where the waste is say, in this order, the platform's regions, the comparison with the frame before, and the object
    model; the first that knows something is believed, and what none of them found stays empty.
    """
    picture = decode(photo)
    height, width = picture.shape[:2]
    possible = models.faces.find(picture)
    found_faces = [face for face in possible if face.score >= faces.CERTAIN]
    detector = models.objects if not regions else None
    found_objects = [_placed(region, width, height) for region in regions]
    seen = detector.find(picture) if detector else []
    note = ""
    if not regions and before is not None:
        found_objects, note = comparison.compare(decode(before), picture, _people(found_faces, seen, picture))
    masked, places = cutouts.masked(picture, possible, models.faces)
    found_objects = found_objects or seen
    return Extraction(
        width=width,
        height=height,
        faces=tuple(found_faces),
        objects=tuple(found_objects),
        pictures=(
            *_faces_cut(picture, found_faces, models.faces.file),
            *_objects_cut(picture, found_objects, detector.file if detector else None),
            *_masked(masked, models.faces.file),
        ),
        masked=places,
        face_detector=models.faces.file,
        detector=detector.file if detector else None,
        parameters=PARAMETERS,
        notes=(note,) if note else (),
    )


def subject_copy(photo: bytes, keep: Box, models: Models) -> Picture:
    """Mask every face but the one at `keep`; without a face there, all. Raises UnreadablePhoto or MaskingFailed."""
    picture = decode(photo)
    possible = models.faces.find(picture)
    kept = faces.at(keep, possible)
    masked, _ = cutouts.masked(picture, possible, models.faces, kept)
    made_by = _made_by(FACE_TOOL, models.faces.file, threshold=faces.POSSIBLE, mask_size=cutouts.MASK_SIZE)
    whole = (0, 0, picture.shape[1], picture.shape[0])
    return Picture("subject_copy", cutouts.encode(masked, cutouts.COPY_QUALITY), whole, made_by)


def masked_copy(photo: bytes, models: Models) -> tuple[Picture, int]:
    """Mask every face, and every number plate that the object model names; returns the copy and how many faces.

    Raises UnreadablePhoto or MaskingFailed.
    """
    picture = decode(photo)
    masked, places = cutouts.masked(picture, models.faces.find(picture), models.faces)
    detector = models.objects
    knows_plates = detector is not None and bool(PLATES.intersection(each.lower() for each in detector.labels))
    plates = [each for each in detector.find(picture) if _is_plate(each)] if detector and knows_plates else []
    for plate in plates:
        cutouts.cover(masked, plate.box)
    made_by = {
        **_made_by(FACE_TOOL, models.faces.file, threshold=faces.POSSIBLE, mask_size=cutouts.MASK_SIZE),
        "plates": detector.file.name if detector and knows_plates else "",
    }
    whole = (0, 0, picture.shape[1], picture.shape[0])
    copy = Picture("masked_copy", cutouts.encode(masked, cutouts.COPY_QUALITY), whole, made_by)
    return copy, places


def _is_plate(found: FoundObject) -> bool:
    return (found.label or "").lower() in PLATES


def template(photo: bytes, box: Box, models: Models) -> Template:
    """Compute the template of the face at `box`; raises UnreadablePhoto, NoFaceThere or ModelMissing."""
    picture = decode(photo)
    face = faces.at(box, models.faces.find(picture))
    if face is None:
        raise NoFaceThere
    recogniser = load_recogniser(models.face_folder)
    return Template(recogniser.template(picture, face), recogniser.file.sha256)


def decode(photo: bytes) -> Pixels:
    """Return the photo as BGR, turned upright as its EXIF says; raises UnreadablePhoto."""
    try:
        picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UnreadablePhoto from error
    if picture is None or max(picture.shape[:2]) > LONGEST_STRIP * min(picture.shape[:2]):
        raise UnreadablePhoto
    return cast(Pixels, picture)


def _people(found: Sequence[Face], seen: Sequence[FoundObject], picture: Pixels) -> list[Box]:
    """Return where people are: those whom the object model names, and who stands below each face."""
    height, width = picture.shape[:2]
    people = [each.box for each in seen if each.label in PEOPLE]
    for face in found:
        left, top, right, bottom = face.box
        wide, high = right - left, bottom - top
        people.append(
            (
                max(left - BODY_WIDTH * wide, 0),
                max(top - high / 2, 0),
                min(right + BODY_WIDTH * wide, width),
                min(bottom + BODY_HEIGHT * high, height),
            )
        )
    return people


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
        seen = quality.quality(picture, face)
        able = quality.comparable(seen)
        yield Picture("face", content, box, made_by, None, face.score, "model", comparable=able, quality=seen)


def _objects_cut(picture: Pixels, found: Sequence[FoundObject], file: ModelFile | None) -> Iterator[Picture]:
    for each in found:
        if each.source == "model":
            made_by = _made_by(OBJECT_TOOL, file, threshold=objects.THRESHOLD, margin=cutouts.OBJECT_MARGIN)
        elif each.source == "comparison":
            made_by = _made_by(COMPARISON_TOOL, least_score=comparison.LEAST_SCORE, margin=cutouts.OBJECT_MARGIN)
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
