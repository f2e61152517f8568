"""Scripts and style sheets: compressed once, kept by browsers for good, and ready before the first visitor."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from hashlib import blake2b
from html import unescape
from threading import Lock

import brotli
from dash.fingerprint import check_fingerprint
from flask import Flask, Response, request

#: Quality 5 packs plotly.js in a fifth of a second to within a few per cent of the best, which takes ten.
BROTLI_QUALITY = 5
SMALLEST_WORTH = 1_000

# The environment of a request can hold an object only when the request was made inside this process.
_WARMING = object()
_WARMING_KEY = "dash_cockpit.warming"


def open_prefixes(prefix: str) -> tuple[str, ...]:
    """Return where the bundles lie: scripts, style sheets and pictures, the same for everybody."""
    return (f"{prefix}_dash-component-suites/", f"{prefix}assets/", f"{prefix}_favicon.ico")


def serve_compressed(app: Flask, prefix: str) -> None:
    """Compress what `app` answers under `prefix`; bundles once for the life of the process."""
    kept: dict[tuple[str, str], Bundle] = {}
    packing = Lock()
    bundles = open_prefixes(prefix)

    @app.before_request
    def answer_from_memory() -> Response | None:
        found = kept.get((canonical_path(), chosen_encoding())) if request.path.startswith(bundles) else None
        return found.response() if found and request.method == "GET" else None

    @app.after_request
    def compress(response: Response) -> Response:
        if not request.path.startswith(prefix):
            return response
        bundle = request.path.startswith(bundles)
        if bundle and response.status_code in (200, 304):
            forever = "public, max-age=31536000, immutable"
            response.headers["Cache-Control"] = forever if has_fingerprint() else "public, no-cache"
        response.vary.add("Accept-Encoding")
        encoding = chosen_encoding()
        if "Content-Encoding" in response.headers or not encoding or not compressible(response):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        if len(body) < SMALLEST_WORTH:
            return response
        if not bundle:
            response.set_data(pack(body, encoding))
            response.headers["Content-Encoding"] = encoding
            return response
        # One at a time: while a page loads for the first time, its bundles come in parallel.
        with packing:
            key = (canonical_path(), encoding)
            if key not in kept:
                kept[key] = Bundle(
                    pack(body, encoding), encoding, response.mimetype or "", blake2b(body, digest_size=12).hexdigest()
                )
        answer = kept[key].response()
        answer.headers["Cache-Control"] = response.headers["Cache-Control"]
        answer.vary.add("Accept-Encoding")
        return answer


@dataclass(frozen=True)
class Bundle:
    """A compressed bundle; `digest` is of its plain content."""

    body: bytes
    encoding: str
    mimetype: str
    digest: str

    def response(self) -> Response:
        """Return the bundle, or 304 to a browser that has it."""
        response = Response(self.body, mimetype=self.mimetype, headers={"Content-Encoding": self.encoding})
        response.set_etag(f"{self.digest}-{self.encoding}")
        response.make_conditional(request)
        return response


def warm(app: Flask, address: str = "/cockpit/") -> None:
    """Load the page and its bundles inside this process, once, before it serves.

    Dash registers its bundles while it answers the first page; requests that arrive in between fail
    (plotly/dash#3971). What is loaded here is in memory, compressed, from then on.
    """
    client = app.test_client()
    inside = {_WARMING_KEY: _WARMING}
    headers = {"Accept-Encoding": "br"}
    page = client.get(address, environ_overrides=inside, headers={"Accept-Encoding": "identity"})
    if page.status_code != 200:
        raise RuntimeError(f"The cockpit does not answer: {page.status_code}.")
    for found in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        client.get(unescape(found), environ_overrides=inside, headers=headers)
    client.get(f"{address}_dash-dependencies", environ_overrides=inside, headers=headers)


def warming() -> bool:
    """Say whether the current request is one of `warm`."""
    return request.environ.get(_WARMING_KEY) is _WARMING


def canonical_path() -> str:
    """Return the path of the current request without its fingerprint: any fingerprint names the same file."""
    return check_fingerprint(request.path)[0]


def has_fingerprint() -> bool:
    """Say whether the address of the current request changes with the content behind it."""
    return check_fingerprint(request.path)[1] or "m" in request.args


def compressible(response: Response) -> bool:
    """Say whether a response is a whole text."""
    kind = response.mimetype or ""
    textual = kind.startswith("text/") or kind.endswith(("javascript", "json", "svg+xml"))
    return textual and response.status_code == 200 and request.method == "GET"


def chosen_encoding() -> str:
    """Return the best encoding that the client takes and we make, empty for none."""
    accepted = request.accept_encodings
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""


def pack(body: bytes, encoding: str) -> bytes:
    """Return `body` compressed; `encoding` is br or gzip."""
    if encoding == "br":
        return brotli.compress(body, quality=BROTLI_QUALITY)
    return gzip.compress(body, compresslevel=6, mtime=0)
