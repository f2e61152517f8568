"""The channel of demo mode: writes what would be sent into a file, a line of JSON for each."""

from __future__ import annotations

import json
import os
from pathlib import Path

from backend import settings
from backend.messages.records import Channel, Outgoing
from backend.protection import mask
from backend.storage import LOCAL_ZONE, utcnow


def folder() -> Path:
    """Return where the files lie: one for each day."""
    return settings.current().data_dir / "messages"


def write_line(outgoing: Outgoing) -> None:
    """Append a message to the file of today; the number is masked."""
    now = utcnow().astimezone(LOCAL_ZONE)
    line = {
        "id": outgoing.id,
        "sent_at": now.isoformat(timespec="seconds"),
        "account": outgoing.account,
        "phone": mask("phone", outgoing.phone),
        "title": outgoing.title,
        "text": outgoing.text,
        "href": outgoing.href,
        "urgent": outgoing.urgent,
    }
    folder().mkdir(parents=True, exist_ok=True)
    content = json.dumps(line, ensure_ascii=False).encode() + b"\n"
    # One write at the end of the file: lines of several workers never mix.
    file = os.open(folder() / f"{now:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)


FILE = Channel(name="file", title="演示文件", send=write_line)
