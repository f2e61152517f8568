"""What the operator reads in the terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import east_asian_width

from backend.run.data_folder import DataFolder
from backend.settings import Settings

PAGES = (("网站 Web", "/"), ("驾驶舱 Cockpit", "/cockpit/"), ("接口文档 API", "/api/docs"), ("健康 Health", "/healthz"))
#: Below this the operator is warned while the platform runs.
LITTLE_ROOM = 100_000_000
WARN_SECONDS = 600


def tell(sentence: str) -> None:
    """Say something to the operator, at once; a terminal that is gone is no reason to fall."""
    try:
        print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)  # noqa: T201
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as this process lives


def show(settings: Settings, accounts: Sequence[tuple[str, str, str]], seconds: float) -> None:
    """Print the addresses, and who may log in to the demo."""
    tell(f"Ready after {seconds:.0f} s. 已就绪")
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [f"  {_padded(title, 18)} http://{host}:{settings.port}{path}" for title, path in PAGES]
    if accounts:
        lines.append("Demo accounts 演示账号 (account / password)")
        lines += [f"  {_padded(who, 30)} {account} / {password}" for who, account, password in accounts]
    lines.append("Ctrl-C stops everything. 按 Ctrl-C 停止")
    for line in lines:
        tell(line)


@dataclass
class RoomWatch:
    """Warns, now and then, while the disk of the data folder is nearly full."""

    folder: DataFolder
    warned: float = -WARN_SECONDS

    def look(self) -> None:
        """Look once."""
        free = self.folder.free_bytes()
        if free < LITTLE_ROOM and time.monotonic() - self.warned >= WARN_SECONDS:
            self.warned = time.monotonic()
            tell(f"The disk of {self.folder.path} is nearly full ({free // 1_000_000} MB left): make room. 磁盘将满")


def _padded(text: str, width: int) -> str:
    """Fill up with blanks to a width on screen, on which a Chinese character takes two places."""
    return text + " " * (width - sum(2 if east_asian_width(each) in "WF" else 1 for each in text))
