"""Clips for tests, made of real photos with the ffmpeg that decodes them."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from plugins.evidence.vision import ffmpeg_path
from tests.vision import weights


def made(path: Path, *arguments: str) -> Path:
    """Run ffmpeg to write a clip."""
    command = [ffmpeg_path(""), "-nostdin", "-loglevel", "error", "-y", *arguments, str(path)]
    subprocess.run(command, check=True, timeout=120, stdin=subprocess.DEVNULL)
    return path


def pan(path: Path, seconds: float = 3, size: str = "640x442", *more: str) -> Path:
    """Make a clip of the photo with six people: sharp in the middle second, blurred before and after."""
    photo = path.with_suffix(".jpg")
    photo.write_bytes(weights.six_people())
    blur = f"gblur=sigma=12:enable='not(between(t,{seconds / 3},{2 * seconds / 3}))'"
    film = f"scale=1280:884,{blur},zoompan=z='1+0.001*on':d=1:s={size}:fps=10"
    ahead = ("-loop", "1", "-framerate", "10", "-i", str(photo), "-t", str(seconds), "-vf", film)
    return made(path, *ahead, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", *more)


def boxed(kind: bytes, *content: bytes) -> bytes:
    """Return one MP4 box."""
    whole = b"".join(content)
    return struct.pack(">I4s", 8 + len(whole), kind) + whole
