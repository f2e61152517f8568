"""The best frames of clips, and that no clip hangs, crashes or fills the worker."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from plugins.evidence.vision import ExtractionFailed, Frame, ModelMissing, Models, frames
from plugins.evidence.vision.decoder import ffmpeg_path
from plugins.evidence.vision.frames import APART
from tests.vision import clips
from tests.vision.scenes import decoded

LARGEST = 9_000_000


def best(clip: Path, models: Models) -> list[Frame]:
    return frames.frames_of(clip, models, ffmpeg_path(""), LARGEST)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.pan(tmp_path_factory.mktemp("clips") / "clip.mp4")


def test_the_sharp_faces_are_chosen(clip: Path, faces_only: Models) -> None:
    first, *others = found = best(clip, faces_only)
    assert 1.0 <= first.seconds <= 2.0
    assert first.score > 0.5 and all(first.score >= each.score for each in others)
    assert decoded(first.content).shape == (442, 640, 3)
    assert sum(face.score >= 0.5 for face in faces_only.faces.find(decoded(first.content))) == 6
    assert all(abs(one.seconds - other.seconds) >= APART for one in found for other in found if one is not other)
    assert str(first.made_by["tool"]).startswith("ffmpeg ")
    assert first.made_by["rate"] == 2.0
    assert best(clip, faces_only) == found


def test_the_time_is_that_of_the_frame(tmp_path: Path, faces_only: Models) -> None:
    # One second of white in five of black, from 3.0 s on: only there is anything to be seen.
    film = "color=black:s=320x240:r=10:d=5,drawbox=x=60:y=60:w=120:h=90:c=white:t=fill:enable='between(t,3,3.95)'"
    clip = clips.made(tmp_path / "box.mp4", "-f", "lavfi", "-i", film, "-pix_fmt", "yuv420p")
    first = best(clip, faces_only)[0]
    assert first.score == 0
    assert 3.0 <= first.seconds < 4.0
    assert decoded(first.content)[100, 100].min() > 200


def test_a_turned_clip_is_put_upright(clip: Path, tmp_path: Path, faces_only: Models) -> None:
    turned = clips.made(tmp_path / "turned.mp4", "-display_rotation", "90", "-i", str(clip), "-c", "copy")
    assert decoded(best(turned, faces_only)[0].content).shape == (640, 442, 3)


def test_a_file_without_a_name_can_be_read(clip: Path, faces_only: Models) -> None:
    with clip.open("rb") as file:
        assert best(Path(f"/proc/{os.getpid()}/fd/{file.fileno()}"), faces_only) == best(clip, faces_only)


def test_what_cannot_be_decoded_is_told(clip: Path, tmp_path: Path, faces_only: Models) -> None:
    def told(content: bytes) -> str:
        path = tmp_path / "bad.mp4"
        path.write_bytes(content)
        with pytest.raises(ExtractionFailed) as failure:
            best(path, faces_only)
        return str(failure.value)

    whole = clip.read_bytes()
    film = whole.index(b"mdat") + 4
    index = whole.index(b"moov") - 4
    assert "没有取到任何画面" in told(whole[:film] + bytes(index - film) + whole[index:])
    assert "没有索引" in told(whole[:index])
    assert "不是 MP4" in told(b"#EXTM3U\nfile:///etc/passwd\n")
    sound = clips.made(tmp_path / "sound.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac")
    assert "没有视频画面" in told(sound.read_bytes())


def test_other_codecs_and_huge_frames_are_not_decoded(tmp_path: Path, faces_only: Models) -> None:
    source = ("-f", "lavfi", "-i", "testsrc2=s=320x240:d=1:r=5")
    strange = clips.made(tmp_path / "strange.mp4", *source, "-c:v", "mjpeg")
    with pytest.raises(ExtractionFailed, match="没有取到任何画面"):
        best(strange, faces_only)
    huge = clips.made(
        tmp_path / "huge.mp4", *source, "-vf", "scale=7680:4320", "-frames:v", "1", "-preset", "ultrafast"
    )
    with pytest.raises(ExtractionFailed, match="尺寸过大"):
        best(huge, faces_only)
    # The container says small, the film is not: the decoder refuses it.
    content = bytearray(huge.read_bytes())
    for kind, offset, size in ((b"avc1", 24, b"\x01\x40\x00\xf0"), (b"tkhd", 76, b"\x01\x40\x00\x00\x00\xf0\x00\x00")):
        at = content.index(kind, content.index(b"moov")) + 4 + offset
        content[at : at + len(size)] = size
    huge.write_bytes(content)
    with pytest.raises(ExtractionFailed, match="没有取到任何画面"):
        best(huge, faces_only)


@hypothesis_settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_never_hang_or_crash(clip: Path, tmp_path: Path, faces_only: Models, data: st.DataObject) -> None:
    content = bytearray(clip.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=60)):
        content[at] ^= data.draw(st.integers(1, 255))
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    started = time.monotonic()
    try:
        assert all(decoded(each.content) is not None for each in best(broken, faces_only))
    except ExtractionFailed as failure:
        assert str(failure).endswith("。")
    assert time.monotonic() - started < 30


def test_a_decoder_that_hangs_is_ended(
    clip: Path, tmp_path: Path, faces_only: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_text('#!/bin/sh\n[ "$1" = -version ] && echo ffmpeg version 1 && exit\nexec sleep 60\n')
    slow.chmod(0o755)
    monkeypatch.setattr(frames, "MOST_SECONDS", 0.5)
    started = time.monotonic()
    with pytest.raises(ExtractionFailed, match="超出时限"):
        frames.frames_of(clip, faces_only, str(slow), LARGEST)
    assert time.monotonic() - started < 10


BOUND = """
import os, resource, sys
print([resource.getrlimit(each) for each in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_FSIZE)])
sys.stdout.flush()
import time; time.sleep(60)
"""

PARENT = """
import os, subprocess, sys
from plugins.evidence.vision import confined
child = subprocess.Popen([sys.executable, "-I", "-S", confined.__file__, str(os.getpid()), "7", "3000000000",
    sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(child.pid, child.stdout.readline().strip(), flush=True)
import time; time.sleep(60)
"""


def test_the_decoder_is_bound_and_does_not_outlive_the_worker() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, BOUND], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid, bounds = parent.stdout.readline().split(maxsplit=1)
    assert bounds.strip() == "[(7, 7), (3000000000, 3000000000), (0, 0)]"
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        time.sleep(0.05)
    raise AssertionError("ffmpeg runs on without its worker")


def test_memory_stays_flat_however_long_the_clip_is(tmp_path: Path, faces_only: Models) -> None:
    short, long = (clips.pan(tmp_path / f"{seconds}.mp4", seconds, "1280x720") for seconds in (3, 9))
    best(short, faces_only)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best(long, faces_only)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB; twelve frames more are 33 MB


def test_ffmpeg_is_found_or_its_absence_told(tmp_path: Path) -> None:
    assert os.access(ffmpeg_path(""), os.X_OK)
    own = tmp_path / "ffmpeg"
    own.write_text("#!/bin/sh\n")
    with pytest.raises(ModelMissing, match="不能执行"):
        ffmpeg_path(str(own))
    own.chmod(0o755)
    assert ffmpeg_path(str(own)) == str(own)
