"""How good a face is for comparison: height, sharpness, pose and the detector's score, from the face alone."""

from __future__ import annotations

from collections.abc import Mapping
from math import asin, atan2, ceil, degrees, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.evidence.vision.results import Face, Pixels

#: Sharpness is measured on the face at this height and width, in pixels, so that near and far faces can be compared.
SIDE = 112

#: Eyes, nose and corners of the mouth of a head that looks straight ahead: right, down and away from the viewer.
#: Right and down are InsightFace's template of 112 px for its recognisers, mirrored so that it is symmetric; how far
#: the nose stands out is from the head of "Head Pose Estimation using OpenCV and dlib" (learnopencv.com, 2016): 0.30
#: of the distance of the outer corners of the eyes over the eyes, 0.28 over the mouth.
HEAD = np.array(
    [
        (-17.6, -21.0, 15.5),
        (17.6, -21.0, 15.5),
        (0.0, -1.0, 0.0),
        (-14.6, 19.5, 14.4),
        (14.6, 19.5, 14.4),
    ]
)

#: A face can be compared from these on. Measured on real photos with InsightFace's w600k_mbf as the cosine to the same
#: face undisturbed (two different people: up to 0.23). Shrunk to a height of 40 px: 0.89 to 0.94, of 20 px: 0.6.
LEAST_HEIGHT = 40
#: A face blurred by 0.015 of its height has a sharpness of about 10 and a cosine of 0.9; by 0.03, 5 and 0.6.
LEAST_SHARPNESS = 10
#: Turned to 60 degrees the cosine is 0.5 to 0.67, raised or lowered to 45 degrees 0.35 to 0.6: more is a profile.
MOST_YAW, MOST_PITCH = 60, 45

CENTRED = HEAD - HEAD.mean(axis=0)


def quality(photo: Pixels, face: Face) -> Mapping[str, float]:
    """Return `height` (px), `sharpness`, `yaw`, `pitch` and `roll` (degrees) and `score` of a face on a BGR photo."""
    yaw, pitch, roll = pose(np.array(face.points))
    return {
        "height": round(face.height, 1),
        "sharpness": round(sharpness(photo, face), 1),
        "yaw": round(yaw, 1),
        "pitch": round(pitch, 1),
        "roll": round(roll, 1),
        "score": round(face.score, 3),
    }


def comparable(quality: Mapping[str, float]) -> bool:
    """Whether a face of this quality has enough detail to be compared with another one."""
    return (
        quality["height"] >= LEAST_HEIGHT
        and quality["sharpness"] >= LEAST_SHARPNESS
        and abs(quality["yaw"]) <= MOST_YAW
        and abs(quality["pitch"]) <= MOST_PITCH
    )


def sharpness(photo: Pixels, face: Face) -> float:
    """Return the variance of the Laplacian of the face, brought to SIDE x SIDE pixels and a contrast of 1.

    Variance of the Laplacian: Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, 2000. Divided by the
    variance of the face itself, so that a dim face counts like a bright one; times 1000 for figures that can be read.
    """
    height, width = photo.shape[:2]
    left, top, right, bottom = face.box
    x0, y0 = min(floor(left), width - 1), min(floor(top), height - 1)
    piece = photo[y0 : max(ceil(bottom), y0 + 1), x0 : max(ceil(right), x0 + 1)]
    shrinks = min(piece.shape[:2]) > SIDE
    normal = cv2.resize(piece, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    grey = cv2.cvtColor(normal, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(1000 * cv2.Laplacian(grey, cv2.CV_32F).var() / max(float(grey.var()), 1.0))


def pose(points: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees of five points (5 x 2 pixels); rough (some 15 degrees): all heads are one.

    The head under weak perspective: points = scale * (first two rows of a rotation) * HEAD + shift, solved by least
    squares, then the nearest rotation (DeMenthon and Davis, Model-based object pose in 25 lines of code, 1995, first
    step). 0 is a face that looks into the camera; yaw grows when it turns to the viewer's right, pitch when it looks
    down, roll when it leans to the viewer's right (clockwise).
    """
    rows = np.linalg.lstsq(CENTRED, points - points.mean(axis=0), rcond=None)[0].T
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    across, down = left @ right
    away = np.cross(across, down)
    # rotation = roll about the line of sight, after yaw, after pitch
    yaw = degrees(asin(min(max(away[0], -1.0), 1.0)))
    return yaw, degrees(atan2(away[1], away[2])), degrees(atan2(down[0], across[0]))
