"""What lies there now and did not before: two frames of a fixed camera compared, whatever the light.

The frame before is first brought to the light of the frame after: one curve for each channel (exposure, gamma, white
balance), then what differs slowly over the picture (a lamp, a cloud's edge). What still differs is a candidate. It
counts when what was seen there before is seen no more: a shadow or a patch of sun lets the ground's texture through,
a thing hides it. Frames are compared small and with one pixel of tolerance, after the shake is taken out.

Limits: a thing of the colour of a ground without any texture is not told from a shadow, and one that touches the edge
of a new shadow may count as part of it; both are left to the next in line. Things that move by themselves (people seen
from behind, animals, cars) are new things, too, unless an object model is there to name the people.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.evidence.vision.results import Box, FoundObject, Pixels

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

#: Frames are compared at this longer side, in pixels: details of a bag stay, noise and leaves' flutter go.
SIDE = 480
#: A camera that shakes moves by so many parts of the longer side at most; beyond it stands elsewhere.
MOST_SHAKE = 0.03
#: A region smaller than this part of the picture is dirt, one larger another view (both measured in pixels changed).
LEAST_AREA, MOST_AREA = 0.0008, 0.35
#: At most so many regions are claimed, the largest first.
MOST_REGIONS = 5

#: The curve of light is fitted to every so many-th pixel.
STEP = 23

#: Logarithms of the brightness, with so much added that the noise of dark pixels counts little.
FLOOR = 24.0
#: The least difference that counts, as a logarithm: 0.12 is 13 % brighter or darker. More where the picture is noisy.
LEAST_DIFFERENCE, NOISE_TIMES = 0.12, 5.0
#: What is left of a thing, in pixels, when two pixels are taken off all around; strips vanish.
LEAST_CORE = 20
#: Texture counts as such when its variance is so many times that of the noise.
TEXTURE_TIMES = 4.0
#: Texture that agrees so much with the frame before (correlation) is the ground's own.
SAME_TEXTURE = 0.5
#: A patch on even ground that differs in brightness alone, its colour by less than this, may be light.
SAME_COLOUR = 0.15
#: A region is claimed from this score on: 1 minus the correlation of the region, and RING / 2 pixels around it, with
#: the frame before. Measured on 100 made scenes (tests/vision/scenes.py) without this bound: what light alone left of
#: them has 0.33 at most, nearly all below 0.2; things put down, of which 95 are found, have 0.33 to 1, half over 0.7.
LEAST_SCORE, RING = 0.35, 11
#: The part of the outline's strength that must be new: what was taken away leaves its outline in the frame before.
NEW_OUTLINE = 0.55


class Compared(NamedTuple):
    """New things (boxes in pixels of the frame after), or a Chinese sentence that says why there was no comparison."""

    found: list[FoundObject]
    note: str = ""


def compare(before: Pixels, after: Pixels, left_out: Sequence[Box] = ()) -> Compared:
    """Return what the BGR frame `after` shows and `before` does not, best first, leaving out the boxes given (people).

    Its score is 1 minus the correlation of the region and its close surroundings with the frame before: near 0 where
    the same is seen in another light, 1 where nothing is left of what was seen there.
    """
    if before.shape != after.shape:
        return Compared([], "前后两张照片尺寸不同，无法对比。")
    height, width = after.shape[:2]
    shrink = min(SIDE / max(height, width), 1.0)
    small = max(round(width * shrink), 1), max(round(height * shrink), 1)
    if min(small) < 32:
        return Compared([], "照片太小，无法对比。")
    old, new = _logarithms(before, small), _logarithms(after, small)
    shift = _shake(old, new)
    if shift is None:
        return Compared([], "前后两张照片不是同一机位或画面变化过大，无法对比。")
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    old = _in_light_of(new, cast(Floats, cv2.warpAffine(old, move, small, borderMode=cv2.BORDER_REPLICATE)))
    differs, noise = _difference(old, new)
    usable = _usable(small, shift, [tuple(edge * shrink for edge in box) for box in left_out])
    changed = _whole((differs.max(axis=2) > max(LEAST_DIFFERENCE, NOISE_TIMES * noise)).astype(np.uint8) & usable)
    if changed.mean() > MOST_AREA:
        return Compared([], "前后两张照片不是同一机位或画面变化过大，无法对比。")
    found = [
        FoundObject(None, cast(Box, tuple(edge / shrink for edge in box)), "comparison", score)
        for box, score in _new_things(changed, old, new, noise)
    ]
    return Compared(sorted(found, key=lambda each: -cast(float, each.score)))


def _logarithms(picture: Pixels, size: tuple[int, int]) -> Floats:
    small = cv2.GaussianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), (3, 3), 0)
    return cast(Floats, np.log(small.astype(np.float32) + FLOOR))


def _shake(old: Floats, new: Floats) -> tuple[float, float] | None:
    """Return how far the picture moved, right and down in pixels; None when it moved too far."""
    # Outlines alone: light that changes moves nothing.
    edges = [_edges(each.mean(axis=2)) for each in (old, new)]
    window = cv2.createHanningWindow(edges[0].shape[::-1], cv2.CV_32F)
    (right, down), _ = cv2.phaseCorrelate(edges[0], edges[1], window)
    if max(abs(right), abs(down)) > MOST_SHAKE * max(old.shape):
        return None
    return right, down


def _edges(grey: Floats) -> Floats:
    return cast(Floats, cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))


def _in_light_of(new: Floats, old: Floats) -> Floats:
    """Bring `old` to the light of `new`: a curve for each channel, then what differs slowly over the picture."""
    lit = np.empty_like(old)
    for channel in range(3):
        lit[..., channel] = _curved(old[..., channel], new[..., channel])
    small = cast(Floats, cv2.resize(new - lit, (64, 64), interpolation=cv2.INTER_AREA))
    middle = np.dstack([cv2.medianBlur(_bytes(small[..., channel]), 31) for channel in range(3)])
    slow = cv2.GaussianBlur((middle.astype(np.float32) - 128) / 100, (0, 0), 4)
    lit += cv2.resize(slow, new.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    # No photo is darker than black or brighter than white.
    return np.clip(lit, np.log(FLOOR), np.log(255 + FLOOR), out=lit)


def _curved(old: Floats, new: Floats) -> Floats:
    """Return a channel of `old` through the curve that fits `new` best: a + b sqrt(x) + c x + d x^2, x from 0 to 1."""
    x, y = ((np.exp(each) - FLOOR) / 255 for each in (old, new))
    some, target = x.ravel()[::STEP], y.ravel()[::STEP]
    within = (target > 0.02) & (target < 0.97)  # what is black or white says nothing of the curve
    if within.sum() < 100:
        return old
    terms = np.stack((np.ones_like(some), np.sqrt(np.maximum(some, 0)), some, some**2), axis=1)[within]
    target, weights = target[within], np.ones(int(within.sum()), np.float32)
    # Least absolute differences by reweighting: what is new does not bend the curve.
    for _ in range(8):
        bend = np.linalg.lstsq(terms * weights[:, None], target * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.maximum(np.abs(target - terms @ bend), 0.01))
    curved = bend[0] + bend[1] * np.sqrt(np.maximum(x, 0)) + bend[2] * x + bend[3] * x**2
    return cast(Floats, np.log(np.clip(curved, 0, 1) * 255 + FLOOR))


def _bytes(difference: Floats) -> Mask:
    return np.clip(difference * 100 + 128, 0, 255).astype(np.uint8)


def _difference(old: Floats, new: Floats) -> tuple[Floats, float]:
    """Return by how much each pixel lies outside what the pixels around it were before, and the noise."""
    around = np.ones((3, 3), np.uint8)
    above = new - cv2.dilate(old, around)
    below = cv2.erode(old, around) - new
    noise = float(np.median(np.abs(new - old)) * 1.4826)
    return np.maximum(np.maximum(above, below), 0), noise


def _usable(size: tuple[int, int], shift: tuple[float, float], left_out: Sequence[Sequence[float]]) -> Mask:
    """Return 1 where both frames show something and nobody stands."""
    width, height = size
    usable = np.zeros((height, width), np.uint8)
    x, y = (int(np.ceil(abs(each))) + 1 for each in shift)
    usable[y : height - y, x : width - x] = 1
    for left, top, right, bottom in left_out:
        usable[max(int(top) - 2, 0) : int(bottom) + 3, max(int(left) - 2, 0) : int(right) + 3] = 0
    return usable


def _whole(changed: Mask) -> Mask:
    """Drop specks and lines, and close the gaps of what is left."""
    small, large = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)) for side in (3, 9))
    return cast(Mask, cv2.morphologyEx(cv2.morphologyEx(changed, cv2.MORPH_OPEN, small), cv2.MORPH_CLOSE, large))


def _new_things(changed: Mask, old: Floats, new: Floats, noise: float) -> Iterator[tuple[Box, float]]:
    """Yield box and score of each connected piece that is no light and was not taken away, the largest first."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(changed, connectivity=8)
    order = [int(each) for each in np.argsort(-facts[1:, cv2.CC_STAT_AREA], kind="stable") + 1]
    claimed = 0
    for number in order:
        left, top, width, height, area = (int(each) for each in facts[number])
        if area < LEAST_AREA * changed.size or claimed == MOST_REGIONS:
            return
        margin = 3 + max(width, height) // 4
        y0, x0 = max(top - margin, 0), max(left - margin, 0)
        around = slice(y0, top + height + margin), slice(x0, left + width + margin)
        piece = (pieces[around] == number).astype(np.uint8)
        views = piece, old[around], new[around]
        score = _unlike(*views)
        if score < LEAST_SCORE or _is_light(*views, noise) or _was_taken_away(*views):
            continue
        claimed += 1
        yield (left, top, left + width, top + height), round(score, 3)


def _unlike(piece: Mask, old: Floats, new: Floats) -> float:
    """Return 1 minus the correlation of the piece and what surrounds it closely, in all channels."""
    near = cv2.dilate(piece, np.ones((RING, RING), np.uint8)).astype(bool)
    was, now = (each[near] - each[near].mean(axis=0) for each in (old, new))
    return 1 - max(_correlation(was, now), 0.0)


def _is_light(piece: Mask, old: Floats, new: Floats, noise: float) -> bool:
    """Whether the ground is still seen through: its texture, or on even ground its colour. A strip is light's edge."""
    inside = cv2.erode(piece, np.ones((5, 5), np.uint8)).astype(bool)
    if inside.sum() < LEAST_CORE:
        return True
    was, now = (_texture(each.mean(axis=2))[inside] for each in (old, new))
    textured = TEXTURE_TIMES * max(noise, 0.01) ** 2
    if max(was.var(), now.var()) > textured:
        return _correlation(was, now) > SAME_TEXTURE
    difference = np.median(new[inside] - old[inside], axis=0)
    return float(np.ptp(difference)) < SAME_COLOUR


def _was_taken_away(piece: Mask, old: Floats, new: Floats) -> bool:
    """Whether the outline of the piece is rather that of a thing in the frame before."""
    outline = cv2.morphologyEx(piece, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)).astype(bool)
    was, now = (float(np.median(_edges(each.mean(axis=2))[outline])) for each in (old, new))
    return now < NEW_OUTLINE * (was + now)


def _texture(grey: Floats) -> Floats:
    return grey - cv2.GaussianBlur(grey, (0, 0), 3)


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-9))
