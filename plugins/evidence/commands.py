"""Act as a camera, to try out the way from a photo to the cockpit."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

from backend.plugin_api import LOCAL_ZONE, current_settings, find_device
from plugins.evidence.captures.intake import signature
from plugins.evidence.captures.models import VIOLATIONS


@click.command("send-capture")
@click.argument("photos", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--device", default="D0001", show_default=True, help="Code of the camera that sends.")
@click.option("--violation", default="mixed_waste", show_default=True, type=click.Choice(list(VIOLATIONS)))
@click.option("--clip", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Film of it (MP4).")
@click.option("--before", multiple=True, type=int, help="Number, from 0, of a photo of the place before the event.")
@click.option("--url", default="", help="Address of the platform; without it, the one that runs on this machine.")
def send_capture(
    photos: tuple[Path, ...], device: str, violation: str, clip: Path | None, before: tuple[int, ...], url: str
) -> None:
    """Send PHOTOS and a clip as one observation of a camera, signed with its key."""
    if not photos and not clip:
        raise click.UsageError("Name a photo, or a clip with --clip.")
    url = url or f"http://127.0.0.1:{current_settings().port}"
    facts = find_device(device)
    if facts is None or not facts.secret:
        raise click.ClickException(f"There is no device {device} with a signing key.")
    observation = {
        "device": device,
        "event_id": uuid.uuid4().hex,
        "device_time": datetime.now(LOCAL_ZONE).isoformat(timespec="seconds"),
        "violation": violation,
        "before": list(before),
    }
    metadata = json.dumps(observation).encode()
    contents = [photo.read_bytes() for photo in photos]
    film = clip.read_bytes() if clip else None
    boundary = uuid.uuid4().hex
    request = Request(  # noqa: S310 - the operator names the address
        f"{url}/api/v1/evidence/captures",
        data=multipart(boundary, metadata, contents, film),
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "X-Signature": signature(facts.secret, metadata, contents, film),
        },
    )
    try:
        with urlopen(request, timeout=120) as answer:  # noqa: S310
            click.echo(answer.read().decode())
    except HTTPError as error:
        raise click.ClickException(error.read().decode()) from error
    except URLError as error:
        raise click.ClickException(f"{url} does not answer: {error.reason}") from error


def multipart(boundary: str, metadata: bytes, photos: list[bytes], clip: bytes | None = None) -> bytes:
    """Return the body of the form."""
    parts = [b'Content-Disposition: form-data; name="metadata"\r\n\r\n' + metadata]
    parts += [
        f'Content-Disposition: form-data; name="photos"; filename="{number}.jpg"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + photo
        for number, photo in enumerate(photos)
    ]
    if clip is not None:
        parts.append(b'Content-Disposition: form-data; name="clip"; filename="clip.mp4"\r\n\r\n' + clip)
    mark = f"--{boundary}".encode()
    return b"\r\n".join([mark + b"\r\n" + part for part in parts]) + b"\r\n" + mark + b"--\r\n"
