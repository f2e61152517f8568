"""Map tiles of a foreign service: asked for by this server, kept on disk, so that neither page nor logs hold the key.

Addresses come from the settings alone; a request chooses a layer by name and three numbers. A service that does not
answer is left alone for a while, and the map goes on without it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http.client import HTTPException
from pathlib import Path
from threading import Lock, Semaphore, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from flask import Blueprint, Response, abort

from backend.plugin_api import current_settings, get_logger

TIANDITU = (
    "https://t{s}.tianditu.gov.cn/LAYER_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=LAYER&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
)
DEEPEST = 18
#: The service is given so long for a tile; while it fails it is not asked at all, for so long.
ANSWER_SECONDS = 5.0
REST_SECONDS = 15.0
#: So many tiles are fetched at a time, and a reader waits so long for a turn: tiles must not take all web threads.
AT_ONCE = 3
TURN_SECONDS = 2.0
LARGEST_TILE = 1_000_000
SIGNS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
#: One transparent pixel, for where there is no tile.
NOTHING = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da63606000000003"
    "00012b094d840000000049454e44ae426082"
)
logger = get_logger(__name__)


@dataclass(frozen=True)
class Background:
    """A choice of background for the map: the tile layers that it is made of, from the ground up."""

    name: str
    title: str
    layers: tuple[str, ...]


#: Backgrounds of Tianditu; the second layer of each writes the names.
KNOWN = {
    "vec": Background("vec", "电子地图", ("vec", "cva")),
    "img": Background("img", "卫星影像", ("img", "cia")),
}


class _Stay(HTTPRedirectHandler):
    """Follow no redirect: it could lead anywhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


class TileService:
    """Tiles by layer and place: from disk while they are young, else fetched; at most `most_bytes` are kept.

    `templates` are addresses by layer with {z}, {x}, {y}, and perhaps {s} (0 to 7) and {key}.
    """

    def __init__(
        self,
        backgrounds: Sequence[Background] = (),
        templates: Mapping[str, str] | None = None,
        *,
        key: str = "",
        folder: Path | None = None,
        most_bytes: int = 0,
        days: float = 30.0,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.backgrounds = tuple(backgrounds)
        self._templates = dict(templates or {})
        self._key, self._folder, self._most_bytes, self._days = key, folder, most_bytes, days
        self._answer_seconds = answer_seconds
        self._opener = build_opener(_Stay)
        self._turns = Semaphore(AT_ONCE)
        self._tile_locks = [Lock() for _ in range(64)]
        self._resting_until: dict[str, float] = {}
        self._unswept = most_bytes  # so that the first tile written looks what earlier processes have left
        self._sweeping = Lock()

    def tile(self, layer: str, z: int, x: int, y: int) -> bytes | None:
        """Return a tile, an old one when there is no newer, or None; raises LookupError for what cannot exist."""
        if layer not in self._templates or not (0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z):
            raise LookupError(f"{layer}/{z}/{x}/{y}")
        path = self._path(layer, z, x, y)
        kept, fresh = self._kept(path)
        if fresh or time.monotonic() < self._resting_until.get(layer, 0.0):
            return kept
        # Whoever asks for the same tile at the same time waits for the one fetch.
        with self._tile_locks[hash((layer, z, x, y)) % len(self._tile_locks)]:
            kept, fresh = self._kept(path)
            if fresh or time.monotonic() < self._resting_until.get(layer, 0.0):
                return kept
            if not self._turns.acquire(timeout=TURN_SECONDS):
                return kept
            try:
                # While this one waited for its turn another may have found that the service does not answer.
                found = self._fetch(layer, z, x, y) if time.monotonic() >= self._resting_until.get(layer, 0.0) else None
            finally:
                self._turns.release()
            if found is None:
                return kept
            self._keep(path, found)
            return found

    def _fetch(self, layer: str, z: int, x: int, y: int) -> bytes | None:
        values = {"z": str(z), "x": str(x), "y": str(y), "s": str((x + y) % 8), "key": self._key}
        address = self._templates[layer]
        for name, value in values.items():
            address = address.replace(f"{{{name}}}", value)
        # What went wrong is told without the address: that one holds the key.
        try:
            request = Request(address, headers={"User-Agent": "Mozilla/5.0 Qingxu"})  # noqa: S310 - from the settings
            with self._opener.open(request, timeout=self._answer_seconds) as answer:
                body = _read(answer, time.monotonic() + self._answer_seconds)
        except HTTPError as error:
            error.close()
            if error.code == 404:  # beyond what the service has drawn
                return None
            self._rest(layer, f"HTTP {error.code}")
            return None
        except (OSError, HTTPException, ValueError) as error:
            self._rest(layer, type(error).__name__)
            return None
        if not media_type(body):
            self._rest(layer, "no picture")
            return None
        return body

    def _rest(self, layer: str, reason: str) -> None:
        self._resting_until[layer] = time.monotonic() + REST_SECONDS
        logger.warning("map_tiles_unavailable", layer=layer, reason=reason, seconds=REST_SECONDS)

    def _path(self, layer: str, z: int, x: int, y: int) -> Path | None:
        if self._folder is None:
            return None
        # Another template is another map; the key is no part of it.
        source = blake2b(self._templates[layer].encode(), digest_size=8).hexdigest()
        return self._folder / f"{layer}-{source}" / str(z) / str(x) / str(y)

    def _kept(self, path: Path | None) -> tuple[bytes | None, bool]:
        try:
            if path is None:
                return None, False
            body, state = path.read_bytes(), path.stat()
        except OSError:
            return None, False
        now = time.time()
        if now - state.st_atime > 86_400:  # what is used stays longest; the time of writing is left as it is
            with contextlib.suppress(OSError):
                os.utime(path, (now, state.st_mtime))
        return body, now - state.st_mtime < self._days * 86_400

    def _keep(self, path: Path | None, body: bytes) -> None:
        if path is None:
            return
        unfinished = path.with_name(f"{path.name}.{os.getpid()}.{id(body)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(body)
            unfinished.replace(path)
        except OSError as error:  # a full disk costs the cache, not the map
            logger.warning("map_tile_not_kept", reason=type(error).__name__)
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            return
        self._unswept += len(body)
        if self._unswept >= self._most_bytes / 10 and self._sweeping.acquire(blocking=False):
            self._unswept = 0
            Thread(target=self._sweep, name="map tiles sweep", daemon=True).start()

    def _sweep(self) -> None:
        """Remove the longest unused until a fifth of the room is free, once there is more than three quarters."""
        try:
            files = []
            for path in (self._folder or Path()).glob("*/*/*/*"):
                with contextlib.suppress(OSError):
                    state = path.stat()
                    files.append((state.st_atime, state.st_size, path))
            total = sum(size for _, size, _ in files)
            if total > 0.75 * self._most_bytes:
                for _, size, path in sorted(files):
                    if total <= 0.6 * self._most_bytes:
                        break
                    with contextlib.suppress(OSError):
                        path.unlink()
                        total -= size
        finally:
            self._sweeping.release()


def tile_service() -> TileService:
    """Return the service that the operator chose, which may be one without any tiles."""
    settings = current_settings()
    backgrounds: list[Background] = []
    templates: dict[str, str] = {}
    for number, entry in enumerate(settings.map_tiles.split()):
        if entry in KNOWN:
            known = KNOWN[entry]
            templates |= {layer: TIANDITU.replace("LAYER", layer) for layer in known.layers}
            backgrounds.append(known)
        else:
            title, addresses = _parted(entry)
            layers = tuple(f"own{number}-{i}" for i in range(len(addresses)))
            templates |= dict(zip(layers, addresses, strict=True))
            backgrounds.append(Background(f"own{number}", title, layers))
    return TileService(
        backgrounds,
        templates,
        key=settings.map_tile_key,
        folder=settings.data_dir / "tiles",
        most_bytes=settings.map_tile_cache_bytes,
    )


def tile_routes(service: TileService) -> Blueprint:
    """Return the route of the tiles; the caller has made sure that somebody is logged in."""
    routes = Blueprint("cockpit_tiles", __name__)

    @routes.get("/<layer>/<int:z>/<int:x>/<int:y>")
    def show_tile(layer: str, z: int, x: int, y: int) -> Response:
        try:
            body = service.tile(layer, z, x, y)
        except LookupError:
            abort(404)
        response = Response(body or NOTHING, mimetype=media_type(body or NOTHING))
        # A missing tile is asked for again soon; an error status would only fill the browser's console.
        response.headers["Cache-Control"] = "private, max-age=86400" if body else "private, max-age=30"
        return response

    return routes


def media_type(body: bytes) -> str:
    """Return what kind of picture begins so, empty for anything else."""
    return next((kind for sign, kind in SIGNS.items() if body.startswith(sign)), "")


def _parted(entry: str) -> tuple[str, list[str]]:
    """Return title and addresses of `title=address|address`."""
    title, _, rest = entry.partition("=") if not entry.startswith("http") else ("底图", "=", entry)
    return title, rest.split("|")


def _read(answer: Any, until: float) -> bytes:
    """Read a whole answer within the time and size allowed; raises OSError beyond."""
    parts, size = [], 0
    while part := answer.read1(65_536):
        parts.append(part)
        size += len(part)
        if size > LARGEST_TILE or time.monotonic() > until:
            raise OSError("too large or too slow")
    return b"".join(parts)
