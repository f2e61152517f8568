"""The best frames of a clip. ffmpeg decodes in a process of its own, bounded in all that a hostile file could waste.

It gets the MP4 demuxer alone, three codecs, one thread, no network, no standard input and no file to write; frames come
through a pipe one by one, so that memory stays flat however long the clip is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from math import cos, radians
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from plugins.evidence.vision import confined, cutouts, faces
from plugins.evidence.vision.clips import clip_facts
from plugins.evidence.vision.decoder import decoder_version
from plugins.evidence.vision.loading import Models
from plugins.evidence.vision.quality import quality
from plugins.evidence.vision.results import BadClip, ExtractionFailed, Frame, Pixels

#: So many frames a second are looked at, and so many of a clip at most.
RATE, MOST_LOOKS = 2.0, 120
#: So many are returned at most, and so many seconds lie between two of them.
MOST_FRAMES, APART = 3, 1.0
JPEG_QUALITY = 95

#: A face counts fully from this height (the recogniser's input) and this sharpness (a sharp face of 80 px has it).
FULL_HEIGHT, FULL_SHARPNESS = 112, 50

#: What ffmpeg may use: CPU and wall clock in seconds, memory in bytes (a 4K clip needs some 500 MB of addresses).
MOST_CPU, MOST_SECONDS, MOST_MEMORY = 90, 100, 2_000_000_000
#: What cameras and phones write.
CODECS = "h264,hevc,mpeg4"


class _Looked(NamedTuple):
    face: float
    rest: float
    frame: Frame


def frames_of(clip: Path, models: Models, ffmpeg: str, most_pixels: int) -> list[Frame]:
    """Return the best frames of an MP4 clip, best first, at least one; raises ExtractionFailed.

    A frame's score is that of its best face: height and sharpness, each as a part of what counts fully, times the
    cosine of its yaw; 1 is the best. Frames without a face follow, those first that are sharp and in which much moves.
    """
    try:
        with clip.open("rb") as file:
            facts = clip_facts(file)
    except BadClip as error:
        raise ExtractionFailed(str(error)) from error
    if facts.width * facts.height > most_pixels:
        raise ExtractionFailed("视频画面尺寸过大，无法处理。")
    rate = min(RATE, MOST_LOOKS / max(facts.seconds, 1.0))
    made_by: dict[str, str | float] = {
        "tool": f"ffmpeg {decoder_version(ffmpeg)}",
        "rate": round(rate, 3),
        "quality": JPEG_QUALITY,
        "model": models.faces.file.name,
        "model_sha256": models.faces.file.sha256,
    }
    best: list[_Looked] = []
    last: NDArray[np.float32] | None = None
    with closing(_decoded(clip, ffmpeg, rate, most_pixels)) as pictures:
        for seconds, picture in pictures:
            small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (320, 240), interpolation=cv2.INTER_AREA)
            grey = small.astype(np.float32)
            change = 0.0 if last is None else float(np.abs(grey - last).mean())
            last = grey
            rest = float(cv2.Laplacian(grey, cv2.CV_32F).var()) * (1 + change)
            best = _with(best, seconds, picture, _face_score(picture, models), rest, made_by)
    if not best:
        raise ExtractionFailed("视频无法解码，没有取到任何画面。")
    return [each.frame for each in best]


def _with(
    best: list[_Looked], seconds: float, picture: Pixels, face: float, rest: float, made_by: dict[str, str | float]
) -> list[_Looked]:
    """Return the best frames after one more was looked at; of two close to each other the better one stays."""
    near = [each for each in best if abs(each.frame.seconds - seconds) < APART]
    if any((each.face, each.rest) >= (face, rest) for each in near):
        return best
    others = [each for each in best if each not in near]
    if len(others) == MOST_FRAMES and (face, rest) <= others[-1][:2]:
        return best
    content = cutouts.encode(picture, JPEG_QUALITY)
    looked = _Looked(face, rest, Frame(round(seconds, 3), content, round(face, 3), made_by))
    return sorted([*others, looked], key=lambda each: (-each.face, -each.rest))[:MOST_FRAMES]


def _face_score(picture: Pixels, models: Models) -> float:
    scores = [0.0]
    for face in models.faces.find(picture):
        if face.score >= faces.CERTAIN:
            seen = quality(picture, face)
            full = min(seen["height"] / FULL_HEIGHT, 1) * min(seen["sharpness"] / FULL_SHARPNESS, 1)
            scores.append(full * max(cos(radians(seen["yaw"])), 0))
    return max(scores)


def _decoded(clip: Path, ffmpeg: str, rate: float, most_pixels: int) -> Generator[tuple[float, Pixels], None, None]:
    """Yield time in seconds and picture (BGR, upright) of the frames to look at; raises ExtractionFailed."""
    times_read, times_written = os.pipe()
    command = [sys.executable, "-I", "-S", confined.__file__, str(os.getpid()), str(MOST_CPU), str(MOST_MEMORY)]
    command += _arguments(clip, ffmpeg, rate, most_pixels, times_written)
    late = threading.Event()
    with open(times_read, encoding="ascii", errors="replace") as times:  # noqa: PTH123 - a pipe has no path
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[times_written],
                env={"PATH": "/usr/bin:/bin"},
            )
        finally:
            os.close(times_written)

        def stop() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(MOST_SECONDS, stop)
        watch.daemon = True
        watch.start()
        try:
            out = cast(BinaryIO, process.stdout)
            while (picture := _next(out, most_pixels)) is not None:
                yield _time(times), picture
        finally:
            watch.cancel()
            process.kill()
            process.wait()
            cast(BinaryIO, process.stdout).close()
    if late.is_set():
        raise ExtractionFailed("视频解码超出时限。")


def _arguments(clip: Path, ffmpeg: str, rate: float, most_pixels: int, times: int) -> list[str]:
    gap = 1 / rate - 0.001
    chosen = f"select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{gap:.3f})"
    told = f"metadata=mode=add:key=at:value=1,metadata=mode=print:direct=1:file=pipe\\\\:{times}"
    return [
        *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "quiet", "-threads", "1", "-filter_threads", "1"),
        *("-protocol_whitelist", "file,pipe", "-f", "mov", "-codec_whitelist", CODECS),
        *("-max_pixels", str(most_pixels), "-an", "-sn", "-dn", "-i", f"file:{clip}"),
        *("-map", "0:v:0", "-vf", f"{chosen},{told}", "-fps_mode", "passthrough", "-frames:v", str(MOST_LOOKS)),
        *("-threads", "1", "-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "pipe:1"),
    ]


def _next(out: BinaryIO, most_pixels: int) -> Pixels | None:
    """Read one picture (PPM); None at the end, or where the pipe breaks off."""
    if out.readline(8).strip() != b"P6":
        return None
    width, height = (int(each) for each in out.readline(32).split())
    out.readline(8)
    if width * height > most_pixels:
        return None
    content = bytearray(width * height * 3)
    if out.readinto(content) != len(content):  # type: ignore[attr-defined] # a buffered reader has it
        return None
    rgb = np.frombuffer(content, np.uint8).reshape(height, width, 3)
    return cast(Pixels, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def _time(times: Iterator[str]) -> float:
    """Read when the next picture is shown; ffmpeg tells it before it hands the picture on."""
    for line in times:
        _, told, seconds = line.partition("pts_time:")
        if told:
            return max(float(seconds), 0.0)
    raise ExtractionFailed("视频无法解码，没有取到任何画面。")
