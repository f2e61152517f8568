"""Frames of a fixed camera, made of real photos: things put down, light that changes, a camera that shakes."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.vision import weights

Pixels = NDArray[np.uint8]


def decoded(content: bytes) -> Pixels:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def encoded(picture: Pixels, quality: int = 92) -> bytes:
    return cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()


@cache
def places() -> dict[str, Pixels]:
    """Real photos that stand for a camera's view, 960 pixels wide."""
    found = {
        "garage": decoded(weights.motorcycle()),
        "meadow": decoded(weights.couple()),
        "table": decoded(weights.coffee()),
        "room": decoded(weights.six_people()),
        "night": decoded(weights.rocket()),
    }
    return {name: cv2.resize(each, (960, 960 * each.shape[0] // each.shape[1])) for name, each in found.items()}


@cache
def things() -> dict[str, tuple[Pixels, NDArray[np.float32]]]:
    """Real things cut out of photos, each with its shape (0 to 1, soft at the edge)."""
    cup = decoded(weights.coffee())[5:400, 185:530]
    cat = decoded(weights.cat())[20:290, 40:380]
    dog = decoded(weights.couple())[340:425, 380:425]
    red = decoded(weights.motorcycle())[185:300, 420:560]
    return {name: (each, _oval(each.shape)) for name, each in (("cup", cup), ("cat", cat), ("dog", dog), ("tank", red))}


def _oval(shape: tuple[int, ...]) -> NDArray[np.float32]:
    height, width = shape[:2]
    mask = np.zeros((height, width), np.float32)
    cv2.ellipse(mask, (width // 2, height // 2), (width * 46 // 100, height * 46 // 100), 0, 0, 360, 1.0, cv2.FILLED)
    return cv2.GaussianBlur(mask, (3, 3), 0)


def put(place: Pixels, thing: str, left: int, top: int, height: int) -> tuple[Pixels, tuple[int, int, int, int]]:
    """Put a thing of that height in pixels onto the place; returns the picture and the thing's box."""
    picture, mask = things()[thing]
    size = max(height * picture.shape[1] // picture.shape[0], 1), height
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)[..., None]
    done = place.copy()
    under = done[top : top + height, left : left + size[0]]
    shown = picture[: under.shape[0], : under.shape[1]], mask[: under.shape[0], : under.shape[1]]
    under[:] = np.round(shown[0] * shown[1] + under * (1 - shown[1])).astype(np.uint8)
    return done, (left, top, left + under.shape[1], top + under.shape[0])


def lit(
    place: Pixels, gamma: float = 1.0, gain: float = 1.0, white: tuple[float, float] = (1.0, 1.0), slope: float = 0.0
) -> Pixels:
    """Change the light: gamma, brightness, blue and red against green, and `slope` brighter to the right than left."""
    light = (place / 255.0) ** gamma * gain * np.array([white[0], 1.0, white[1]])
    light = light * (1 + slope * (np.linspace(-0.5, 0.5, place.shape[1])[None, :, None]))
    return np.clip(np.round(light * 255), 0, 255).astype(np.uint8)


def shaded(place: Pixels, corners: list[tuple[int, int]], darkness: float, soft: float = 3.0) -> Pixels:
    """Throw a shadow: light times `darkness` within the corners, with an edge of `soft` pixels."""
    mask = np.zeros(place.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), soft)[..., None]
    return np.clip(np.round(place * (1 - mask * (1 - darkness))), 0, 255).astype(np.uint8)


def shaken(place: Pixels, right: float, down: float) -> Pixels:
    """Move the camera by so many pixels."""
    move = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(place, move, place.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def noisy(place: Pixels, sigma: float, seed: int = 0) -> Pixels:
    """Add a sensor's noise."""
    noise = np.random.default_rng(seed).normal(0, sigma, place.shape)
    return np.clip(np.round(place + noise), 0, 255).astype(np.uint8)


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
