"""Vision on one photo: faces, objects, cut-outs and a copy with every face masked. All but `models` is pure.

Photos are decoded to arrays of height x width x 3 bytes in the order blue, green, red (BGR), turned upright; boxes
are in pixels of that picture. Importing this package is cheap: OpenCV, ONNX Runtime and InsightFace come with the
first call, so only the processes that look at photos carry them. Where they run they use one thread.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.plugin_api import current_settings
from plugins.evidence.vision.loading import Models, check_models, load_models
from plugins.evidence.vision.results import (
    Box,
    Extraction,
    ExtractionFailed,
    Face,
    FoundObject,
    MaskingFailed,
    ModelFile,
    ModelMissing,
    Picture,
    Region,
    UnreadablePhoto,
)

__all__ = [
    "Box",
    "Extraction",
    "ExtractionFailed",
    "Face",
    "FoundObject",
    "MaskingFailed",
    "ModelFile",
    "ModelMissing",
    "Models",
    "Picture",
    "Region",
    "UnreadablePhoto",
    "check_models",
    "extract",
    "load_models",
    "models",
]


def models() -> Models:
    """Return the models that the settings name, loaded once per process; raises ModelMissing."""
    chosen = current_settings()
    return load_models(chosen.face_models, chosen.object_model, chosen.object_labels)


def extract(photo: bytes, regions: Sequence[Region], models: Models) -> Extraction:
    """Find, cut out and mask everything on one JPEG, PNG or WebP; raises UnreadablePhoto or MaskingFailed."""
    from plugins.evidence.vision import photo as one_photo

    return one_photo.extract(photo, regions, models)
