"""Demo captures: photos of people that packages of the extra `demo` bring along, sent in as cameras would."""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from backend.plugin_api import DemoDistrict, DeviceFacts, find_device, find_place, utcnow
from plugins.evidence.captures.intake import take_in
from plugins.evidence.captures.originals import Originals

#: Package, file, and the part of it (in shares) that a camera shows. Only read as files, their code is never imported.
SCENES = (
    ("insightface", "insightface/data/images/t1.jpg", (0.0, 0.0, 0.52, 1.0)),
    ("scikit-image", "skimage/data/astronaut.png", (0.0, 0.0, 1.0, 1.0)),
    ("insightface", "insightface/data/images/t1.jpg", (0.45, 0.05, 1.0, 1.0)),
    ("insightface", "insightface/data/images/t1.jpg", (0.0, 0.0, 1.0, 1.0)),
)
#: Violation, minutes before now, and whether the platform names the bag itself; the others are found by comparison.
SEEN = (
    ("mixed_waste", 4, True), ("waste_on_ground", 9, False), ("bag_not_broken", 21, True), ("overtime", 38, False),
    ("bulky_dumped", 55, True), ("mixed_waste", 70, False), ("waste_on_ground", 96, True), ("overflow", 130, False),
    ("mixed_waste", 171, True), ("bag_not_broken", 214, False),
)  # fmt: skip
#: Where the bag lies, in shares of width and height.
BAG = (0.06, 0.72, 0.3, 0.97)


def load_captures(district: DemoDistrict) -> None:
    """Take in a dozen captures of as many cameras as have a key; without the photos there are none."""
    scenes = [scene for place in SCENES if (scene := read(*place))]
    found = (device for n in range(1, 301) if (device := camera(f"D{n:04d}")))
    cameras = list(islice(found, len(SEEN))) if scenes else []
    count = 0
    for n, (device, seen) in enumerate(zip(cameras, SEEN, strict=False)):
        count += send(device, scenes[n % len(scenes)], n, *seen)
    # The first two cameras saw more of the same a little later: that is one case each.
    for n, device in enumerate(cameras[:2]):
        violation, minutes, named = SEEN[n]
        count += send(device, scenes[n % len(scenes)].rotate(1.5), len(SEEN) + n, violation, minutes - 2, named)
    district.tell(f"取证：{count}")


def read(package: str, file: str, part: tuple[float, float, float, float]) -> Image.Image | None:
    """Return a part of a packaged photo; None where the package is not installed."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        path = Path(str(metadata.distribution(package).locate_file(file)))
        if path.is_file():
            photo = Image.open(path).convert("RGB")
            sides = (photo.width, photo.height) * 2
            left, top, right, bottom = (round(share * side) for share, side in zip(part, sides, strict=True))
            return photo.crop((left, top, right, bottom))
    return None


def camera(code: str) -> DeviceFacts | None:
    """Return the device if it is a camera that may send."""
    device = find_device(code)
    return device if device and device.kind == "camera" and device.active and device.secret and device.point else None


def send(device: DeviceFacts, scene: Image.Image, n: int, violation: str, minutes: int, named: bool) -> int:
    """Take in one observation, where nothing is named with a photo from before; returns how many that were: 1 or 0.

    Repeated after a failed start, the same event with the same photos makes nothing new.
    """
    place = find_place(device.point)
    if place is None:
        return 0
    # A line of its own makes each photo one of its own, as cameras write the time into theirs.
    photos = [jpeg(stamped(with_bag(scene), f"QX {n + 1:02d}-1"))]
    if not named:
        photos.append(jpeg(stamped(scene, f"QX {n + 1:02d}-0")))
    region = {"photo": 0, "label": "垃圾袋", "box": list(BAG), "score": 0.91}
    observation: dict[str, Any] = {
        "event_id": f"demo-{n + 1:02d}",
        "device_time": utcnow() - timedelta(minutes=minutes, seconds=7 * n),
        "violation": violation,
        "regions": [region] if named else [],
    }
    take_in(device, place, observation, Originals(photos, before=range(1, len(photos))), "127.0.0.1")
    return 1


def with_bag(scene: Image.Image) -> Image.Image:
    """Return the scene with a rubbish bag that was not there before."""
    drawn = scene.copy()
    draw = ImageDraw.Draw(drawn)
    left, top, right, bottom = (round(share * side) for share, side in zip(BAG, scene.size * 2, strict=True))
    neck = (left + right) // 2
    draw.ellipse((left, top + (bottom - top) // 5, right, bottom), fill="#20242b")
    knot = top + (bottom - top) // 3
    draw.polygon([(neck - 14, top), (neck + 14, top), (neck + 26, knot), (neck - 26, knot)], fill="#2b3038")
    draw.arc((left + 12, top + 30, right - 20, bottom - 12), 200, 290, fill="#4a515c", width=5)
    return drawn


def stamped(scene: Image.Image, words: str) -> Image.Image:
    """Return the scene with a line of text in a corner."""
    drawn = scene.copy()
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((4, 4, 96, 22), fill="#000000")
    draw.text((9, 7), words, fill="#ffffff")
    return drawn


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as a camera sends it."""
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()
