"""What goes into the vision functions and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Required, TypedDict

import numpy as np
from numpy.typing import NDArray

#: A picture: height x width x 3 bytes, in the order blue, green, red (BGR).
Pixels = NDArray[np.uint8]

#: Left, top, right, bottom in pixels; the photo's top left corner is 0, 0.
Box = tuple[float, float, float, float]

#: Who found an object: the camera platform, the comparison with the frame before, the object model, or a person.
Source = Literal["platform", "comparison", "model", "person"]
Kind = Literal["face", "object", "masked_copy", "masked_thumbnail", "subject_copy"]


class ModelMissing(Exception):
    """A model that the work needs is not there or cannot be used; the message is a sentence for the health page."""


class ExtractionFailed(Exception):
    """A photo that cannot be worked on, now or later; the message is a Chinese sentence."""


class UnreadablePhoto(ExtractionFailed):
    """The photo cannot be decoded."""

    def __init__(self) -> None:
        super().__init__("照片无法解码。")


class MaskingFailed(ExtractionFailed):
    """The detector still finds a face on the masked copy, so there is no copy to show."""

    def __init__(self) -> None:
        super().__init__("人脸遮盖未通过复查，照片不能展示。")


class NoFaceThere(ExtractionFailed):
    """The detector finds no face where one should be."""

    def __init__(self) -> None:
        super().__init__("照片上该位置没有找到人脸。")


class BadClip(Exception):
    """A clip that is not taken in: a stable `code`, and the reason as a Chinese sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Region(TypedDict, total=False):
    """Something that the camera platform has marked, in shares (0 to 1) of the width and height of the upright photo.

    Either a box (left, top, right, bottom) or the points of a polygon.
    """

    label: Required[str]
    box: Sequence[float]
    points: Sequence[tuple[float, float]]
    score: float


@dataclass(frozen=True)
class Face:
    """A face: score from 0 to 1; eyes, nose and corners of the mouth, seen from the viewer's left to right."""

    box: Box
    score: float
    points: tuple[tuple[float, float], ...]

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True)
class FoundObject:
    """A thing on the photo, as the model or the platform named it; a platform need not give a score.

    The comparison with the frame before gives no label: it finds that something is there, not what it is.
    """

    label: str | None
    box: Box
    source: Source
    score: float | None = None


@dataclass(frozen=True)
class ModelFile:
    """Which model was at work."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Picture:
    """A JPEG made of the photo, without any metadata: a face or object cut out, or the whole photo masked.

    `box` is the part of the photo that it shows, margin included; `made_by` says which tool, model and parameters
    made it. `quality` and `comparable` are said of faces alone (see `quality.py`).
    """

    kind: Kind
    content: bytes
    box: Box
    made_by: Mapping[str, str | float]
    label: str | None = None
    score: float | None = None
    source: Source | None = None
    comparable: bool | None = None
    quality: Mapping[str, float] | None = None


class Template(NamedTuple):
    """A face as 512 numbers of unit length; only templates of one model (by its hash) can be compared."""

    vector: NDArray[np.float32]
    model_sha256: str


@dataclass(frozen=True)
class ClipFacts:
    """What the header of an MP4 clip says: length, and size of its picture in pixels, upright."""

    seconds: float
    width: int
    height: int


@dataclass(frozen=True)
class Frame:
    """One frame of a clip: `content` is a JPEG, `seconds` its time from the clip's start.

    `score` is how well it shows a face (see `frames.py`), 0 without one; `made_by` says which tool took it how.
    """

    seconds: float
    content: bytes
    score: float
    made_by: Mapping[str, str | float]


@dataclass(frozen=True)
class Extraction:
    """All that was found on one photo of `width` x `height` pixels (upright), and the pictures made of it.

    `pictures` are the faces, the objects, the masked copy and its thumbnail, in this order. `masked` counts the
    places masked, which may exceed the faces, since doubtful ones are masked too. `detector` is None when the object
    model was not asked: none is configured, or the platform's regions say where the waste is. `notes` are Chinese
    sentences on what could not be done.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    objects: tuple[FoundObject, ...]
    pictures: tuple[Picture, ...]
    masked: int
    face_detector: ModelFile
    detector: ModelFile | None
    parameters: Mapping[str, str | float]
    notes: tuple[str, ...] = ()
