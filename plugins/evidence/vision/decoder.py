"""The ffmpeg that decodes clips: where it is, and which. Cheap, so that the health page can look."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from typing import cast

from plugins.evidence.vision.results import ModelMissing


def ffmpeg_path(configured: str) -> str:
    """Return the ffmpeg to run: the configured one, or that on PATH, or that of imageio-ffmpeg; raises ModelMissing."""
    if configured:
        if not os.access(configured, os.X_OK):
            raise ModelMissing(f"ffmpeg {configured} 不存在或不能执行，视频等待处理。")
        return configured
    if found := shutil.which("ffmpeg"):
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return cast(str, get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise ModelMissing("没有找到 ffmpeg，请安装 ffmpeg 或 qingxu[vision]，视频等待处理。") from error


@lru_cache(maxsize=4)
def decoder_version(ffmpeg: str) -> str:
    """Return the version that an ffmpeg names; raises ModelMissing when it does not run."""
    try:
        command = [ffmpeg, "-version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=True)
        return done.stdout.split()[2]
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        raise ModelMissing(f"ffmpeg {ffmpeg} 无法运行，视频等待处理。") from error
