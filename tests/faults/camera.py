"""A camera: it takes different photos of one scene, signs what it saw and sends it over real HTTP until it is heard."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from plugins.evidence.captures.intake import signature
from plugins.evidence.commands import multipart
from tests.vision import weights

REGION = {"photo": 0, "label": "垃圾袋", "box": [0.5, 0.5, 0.9, 0.9], "score": 0.8}


@dataclass(frozen=True)
class Observation:
    """One observation, as it is sent again and again under one event id."""

    event_id: str
    metadata: bytes
    photos: list[bytes]
    signature: str
    clip: bytes | None = None

    @property
    def hashes(self) -> list[str]:
        """The names under which the photos are to be kept, and the clip behind them."""
        return [hashlib.sha256(each).hexdigest() for each in (*self.photos, *([self.clip] if self.clip else []))]


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when the connection broke before an answer."""

    status: int
    body: Any = None


@dataclass
class Camera:
    """The device D1; `sent` is all that it has ever tried to send."""

    key: str
    sent: list[Observation] = field(default_factory=list)

    def observe(self, *photos: bytes, clip: bytes | None = None) -> Observation:
        """Make an observation of one new photo, or of those given, and of a clip if there is one."""
        event_id = uuid.uuid4().hex
        told = {"device": "D1", "event_id": event_id, "violation": "mixed_waste", "regions": [REGION]}
        metadata = json.dumps({**told, "device_time": datetime.now(UTC).isoformat()}).encode()
        taken = list(photos) or [new_photo()]
        observation = Observation(event_id, metadata, taken, signature(self.key, metadata, taken, clip), clip)
        self.sent.append(observation)
        return observation

    def insist(self, address: str, observation: Observation, seconds: float = 90) -> dict[str, Any]:
        """Send until there is a 202; returns its receipt. Anything but that, a 503 or silence is a mistake."""
        deadline = time.monotonic() + seconds
        while True:
            answer = send(address, observation)
            if answer.status == 202:
                return dict(answer.body)
            assert answer.status in (0, 503), answer
            assert time.monotonic() < deadline, f"{observation.event_id} was never taken in: {answer}"
            time.sleep(0.2)


def send(address: str, observation: Observation, seconds: float = 30) -> Answer:
    """Send an observation once."""
    boundary = uuid.uuid4().hex
    request = urllib.request.Request(
        f"{address}/api/v1/evidence/captures",
        data=multipart(boundary, observation.metadata, observation.photos, observation.clip),
        headers={
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "X-Signature": observation.signature,
        },
    )
    try:
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.load(error))
    except (OSError, HTTPException, ValueError):
        return Answer(0)


def _scene() -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(weights.astronaut())).convert("RGB").resize((320, 240)), dtype=np.int16)


SCENE = _scene()
_noise = np.random.default_rng(20260101)


def new_photo() -> bytes:
    """Return a JPEG of a person like none before: the noise changes every picture that is cut out of it, too."""
    noisy = SCENE + _noise.integers(-4, 5, SCENE.shape, dtype=np.int16)
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def new_clip() -> bytes:
    """Return an MP4 of two seconds of that person, like none before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 2, SCENE.shape[1::-1])
        for _ in range(4):
            writer.write(cv2.imdecode(np.frombuffer(new_photo(), np.uint8), cv2.IMREAD_COLOR))
        writer.release()
        return path.read_bytes()
