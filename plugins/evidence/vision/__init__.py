"""Vision on one photo: faces, objects, cut-outs and masked copies; and the frames of a clip.

All but `models` and `frames_of`, which ask the settings, is pure.

Photos are decoded to arrays of height x width x 3 bytes in the order blue, green, red (BGR), turned upright; boxes
are in pixels of that picture. Importing this package is cheap: OpenCV, ONNX Runtime and InsightFace come with the
first call, so only the processes that look at photos carry them. Where they run they use one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backend.plugin_api import current_settings
from plugins.evidence.vision.clips import clip_facts
from plugins.evidence.vision.decoder import decoder_version, ffmpeg_path
from plugins.evidence.vision.drawn import cut_region
from plugins.evidence.vision.loading import Models, check_models, load_models
from plugins.evidence.vision.results import (
    BadClip,
    Box,
    ClipFacts,
    Extraction,
    ExtractionFailed,
    Face,
    FoundObject,
    Frame,
    MaskingFailed,
    ModelFile,
    ModelMissing,
    NoFaceThere,
    Picture,
    Region,
    Template,
    UnreadablePhoto,
)

__all__ = [
    "BadClip",
    "Box",
    "ClipFacts",
    "Extraction",
    "ExtractionFailed",
    "Face",
    "FoundObject",
    "Frame",
    "MaskingFailed",
    "ModelFile",
    "ModelMissing",
    "Models",
    "NoFaceThere",
    "Picture",
    "Region",
    "Template",
    "UnreadablePhoto",
    "check_models",
    "clip_facts",
    "cut_region",
    "decoder_version",
    "extract",
    "ffmpeg_path",
    "frames_of",
    "load_models",
    "masked_copy",
    "models",
    "subject_copy",
    "template",
]


def models() -> Models:
    """Return the models that the settings name, loaded once per process; raises ModelMissing."""
    chosen = current_settings()
    return load_models(chosen.face_models, chosen.object_model, chosen.object_labels)


def extract(photo: bytes, regions: Sequence[Region], models: Models, *, before: bytes | None = None) -> Extraction:
    """Find, cut out and mask everything on one JPEG, PNG or WebP; raises UnreadablePhoto or MaskingFailed.

    `before` is a photo of the same fixed camera before the event, for when the platform named no regions.
    """
    from plugins.evidence.vision import photo as one_photo

    return one_photo.extract(photo, regions, models, before=before)


def subject_copy(photo: bytes, keep: Box, models: Models) -> Picture:
    """Mask every face but the one at `keep`; without a face there, all. Raises UnreadablePhoto or MaskingFailed."""
    from plugins.evidence.vision import photo as one_photo

    return one_photo.subject_copy(photo, keep, models)


def masked_copy(photo: bytes, models: Models) -> tuple[Picture, int]:
    """Mask every face and number plate; returns the copy and how many faces. Raises UnreadablePhoto, MaskingFailed."""
    from plugins.evidence.vision import photo as one_photo

    return one_photo.masked_copy(photo, models)


def template(photo: bytes, box: Box, models: Models) -> Template:
    """Compute the template of the face at `box`; raises UnreadablePhoto, NoFaceThere or ModelMissing."""
    from plugins.evidence.vision import photo as one_photo

    return one_photo.template(photo, box, models)


def frames_of(clip: Path, models: Models) -> list[Frame]:
    """Return the best frames of an MP4 clip, best first, at least one; raises ExtractionFailed or ModelMissing."""
    from plugins.evidence.vision import frames

    chosen = current_settings()
    return frames.frames_of(clip, models, ffmpeg_path(chosen.ffmpeg), chosen.max_clip_pixels)
