"""Memory of a vision worker: how much it takes, and whether it grows with the photos that it has worked on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.ratio import Ratio

PHOTOS = 500
#: What the first photos of each size ask for stays with the process; from this photo on it must not grow.
WARM = 100
LIMIT = 600_000_000
GROWTH = 1.05


def measure() -> Iterator[Ratio]:
    """Work on photos in a process that does nothing else."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.benchmarks.vision_memory"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    told = json.loads(done.stdout)
    yield Ratio(
        name=f"memory of the vision worker, highest in {PHOTOS} photos",
        ours=f"{told['most'] / 1e6:,.0f} MB",
        peer=f"limit {LIMIT / 1e6:,.0f} MB",
        ratio=told["most"] / LIMIT,
        at_most=1.0,
    )
    yield Ratio(
        name=f"memory of the vision worker, photos {PHOTOS - WARM} to {PHOTOS}",
        ours=f"{told['late'] / 1e6:,.0f} MB",
        peer=f"photos {WARM // 2} to {WARM} {told['early'] / 1e6:,.0f} MB",
        ratio=told["late"] / told["early"],
        at_most=GROWTH,
    )


def work() -> None:
    """Extract photo after photo, as a worker does, and print the memory that it took."""
    from plugins.evidence.vision import extract, load_models
    from tests.vision import weights

    with tempfile.TemporaryDirectory() as folder:
        models = load_models(str(weights.face_models(Path(folder))), str(weights.yolo()), str(weights.coco_labels()))
        photos = real_photos()
        held = []
        for number in range(PHOTOS):
            photo = photos[number % len(photos)]
            extract(photo, (), models, before=photo if number % 5 == 0 else None)
            held.append(resident())
    print(
        json.dumps(
            {"early": mean(held[WARM // 2 : WARM]), "late": mean(held[PHOTOS - WARM :]), "most": highest()},
        )
    )


def real_photos() -> list[bytes]:
    """Return real photos of people and things, each in sizes from a thumbnail's to 4K, as JPEG."""
    import cv2
    import numpy as np

    from tests.vision import weights

    found = []
    for content in (weights.six_people(), weights.crowd(), weights.coffee(), weights.motorcycle(), weights.couple()):
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        for width in (640, 1280, 1920, 2560, 3840):
            sized = cv2.resize(picture, (width, width * picture.shape[0] // picture.shape[1]))
            found.append(cv2.imencode(".jpg", sized)[1].tobytes())
    # In an order that mixes the sizes.
    return [found[number * 7 % len(found)] for number in range(len(found))]


def resident() -> int:
    """Return the memory that this process holds now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def highest() -> int:
    """Return the most memory that this process has held, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


def mean(figures: list[int]) -> float:
    return sum(figures) / len(figures)


if __name__ == "__main__":
    work()
