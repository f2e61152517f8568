"""A POST that is sent twice, as phones do, takes effect once and is answered the same both times.

The answer is stored in the transaction of the work itself, so that a process killed at any point leaves both or none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import Any, cast

from bson.binary import Binary
from flask import Response, current_app, request
from mongoengine import BinaryField, DateTimeField, Document, IntField, ListField
from pymongo.errors import ConnectionFailure

from backend.http.arguments import check_form_type, whole_body
from backend.http.describing import View, describe
from backend.http.problems import Problem
from backend.protection import current_actor, open_sealed, seal
from backend.storage import atomically, utcnow

KEEP_SECONDS = 24 * 3600
KEY = re.compile(r"[\x21-\x7e]{8,100}")
KEPT_HEADERS = ("Content-Type", "ETag", "Location")

HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "由客户端生成的唯一编号；24 小时内以同一编号重发同一请求，只生效一次",
    "schema": {"type": "string", "minLength": 8, "maxLength": 100, "pattern": "^[!-~]{8,100}$"},
}


class StoredAnswer(Document):
    """The answer to a request with an `Idempotency-Key`, kept for a day; the body is sealed, it may be private."""

    meta = {
        "collection": "idempotent_answers",
        "auto_create_index": False,
        "indexes": [{"fields": ["created_at"], "expireAfterSeconds": KEEP_SECONDS}],
    }

    id = BinaryField(primary_key=True)
    fingerprint = BinaryField(required=True)
    status = IntField(required=True)
    headers = ListField()
    body = BinaryField(required=True)
    created_at = DateTimeField(required=True)


def idempotent(view: View) -> View:
    """Decorate a POST view: all it does is one transaction, and with `Idempotency-Key` it is done once.

    Place it below `requires` and above `arguments` and `response`. Errors are not kept, so a refused request may be
    sent again with the same key.
    """
    return _once(view, atomically)


def idempotent_in_portions(view: View) -> View:
    """Decorate like `idempotent` a view that makes several transactions, each complete in itself, as imports do.

    The answer is kept after the last of them. What is written before the process dies stays, so the view has to find
    it again by itself when the request is repeated.
    """
    return _once(view, lambda work: work())


def _once(view: View, in_transaction: Callable[[Callable[[], Response]], Response]) -> View:
    @wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        def run() -> Response:
            if request.mimetype == "multipart/form-data":  # a retry of the transaction reads the files again
                for file in request.files.values():
                    file.stream.seek(0)
            return current_app.make_response(view(*args, **kwargs))

        if "Idempotency-Key" not in request.headers:
            return in_transaction(run)
        place, fingerprint = _place(), _fingerprint()
        if (answer := _replayed(place, fingerprint)) is not None:
            return answer
        try:
            return in_transaction(lambda: _kept(run(), place, fingerprint))
        except ConnectionFailure:
            raise
        except Exception:
            # The same request may have been done by another thread in the meantime: then ours failed on what that one
            # wrote, and its answer is the right one.
            if (answer := _replayed(place, fingerprint)) is not None:
                return answer
            raise

    codes = ("idempotency_key_reused", "too_large", "invalid")
    described: Callable[..., Any] = describe(once, problems=codes, parameters=(HEADER,))
    return described  # type: ignore[return-value]


def _kept(answer: Response, place: bytes, fingerprint: bytes) -> Response:
    _collection().insert_one(
        {
            "_id": Binary(place),
            "fingerprint": Binary(fingerprint),
            "status": answer.status_code,
            "headers": [[name, answer.headers[name]] for name in KEPT_HEADERS if name in answer.headers],
            "body": Binary(seal(answer.get_data(), place)),
            "created_at": utcnow(),
        }
    )
    return answer


def _replayed(place: bytes, fingerprint: bytes) -> Response | None:
    stored = _collection().find_one({"_id": Binary(place)})
    if stored is None:
        return None
    if stored["fingerprint"] != fingerprint:
        raise Problem("idempotency_key_reused")
    answer = Response(open_sealed(stored["body"], place), stored["status"], stored["headers"])
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _place() -> bytes:
    """Return under what the answer is kept: one caller's key says nothing about another's."""
    key = request.headers["Idempotency-Key"]
    if not KEY.fullmatch(key):
        raise Problem("invalid", fields={"Idempotency-Key": ["应为 8 至 100 个可见的英文字符。"]})
    actor = current_actor()
    return hashlib.sha256(f"{actor.kind}\n{actor.id or actor.address}\n{key}".encode()).digest()


def _fingerprint() -> bytes:
    digest = hashlib.sha256(f"{request.method}\n{request.full_path}\n".encode())
    if request.mimetype != "multipart/form-data":
        digest.update(whole_body(request))
        return digest.digest()
    check_form_type(request)
    # The boundary between parts is made anew each time a form is sent; what lies between is the same.
    for name, value in request.form.items(multi=True):
        digest.update(f"{len(name)},{len(value)}:{name}{value}".encode())
    for name, file in request.files.items(multi=True):
        content = hashlib.file_digest(cast(BytesIO, file.stream), "sha256").hexdigest()
        file.stream.seek(0)
        digest.update(f"{len(name)}:{name}{content}".encode())
    return digest.digest()


def _collection() -> Any:
    return StoredAnswer._get_collection()
