"""Uploads that continue after an interruption: tus 1.0.0 with creation, termination, checksum and expiration.

See https://tus.io/protocols/resumable-upload. A person sees his or her own uploads only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import wraps
from typing import Any, BinaryIO

from bson import ObjectId
from flask import Response, request, url_for
from werkzeug.exceptions import ClientDisconnected

from backend import settings
from backend.blobs import uploads
from backend.blobs.uploads import PART_BYTES, Upload, UploadMissing, UploadMoved, UploadOverrun
from backend.http.access import requires
from backend.http.api import Blueprint
from backend.http.describing import View, describe, may_answer
from backend.http.exchange import PORTION
from backend.http.problems import Problem
from backend.identity import Principal, current_principal

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum,expiration"
CHECKSUMS = ("sha1", "sha256")
READ_BYTES = 256 * 1024

blueprint = Blueprint("uploads", __name__, url_prefix="/api/v1/uploads", description="续传上传")


def finished_upload(upload_id: str, by: Principal) -> BinaryIO:
    """Return the content of an upload that is all there, as a file to read and search; close it after.

    Keep it as a blob, write the record that refers to that, then `drop_upload`. Raises Problem `not_found` (also for
    another person's) or `upload_unfinished`; reading raises BlobDamaged.
    """
    upload = own(upload_id, by)
    if not upload.finished:
        raise Problem("upload_unfinished")
    return uploads.read_upload(upload)


def own(upload_id: str, by: Principal) -> Upload:
    """Return a person's own upload; raises Problem `not_found`."""
    try:
        return uploads.find(upload_id, str(by.id))
    except UploadMissing as error:
        raise Problem("not_found") from error


def header(name: str, description: str, schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Return the documentation of a request header."""
    return {"in": "header", "name": name, "description": description, "required": required, "schema": schema}


RESUMABLE = header("Tus-Resumable", "协议版本", {"type": "string", "enum": [VERSION]})
COUNT = {"type": "integer", "minimum": 0}


def tus(*headers: dict[str, Any]) -> Callable[[View], View]:
    """Decorate a view that speaks tus: it refuses other versions, and its headers are documented."""

    def decorator(view: View) -> View:
        @wraps(view)
        def spoken(*args: Any, **kwargs: Any) -> Any:
            if request.headers.get("Tus-Resumable") != VERSION:
                raise Problem("upload_protocol", headers={"Tus-Version": VERSION})
            return view(*args, **kwargs)

        return describe(spoken, problems=["upload_protocol"], parameters=[RESUMABLE, *headers])  # type: ignore[return-value]

    return decorator


@blueprint.after_request
def name_version(answer: Response) -> Response:
    """Say in every answer which version is spoken."""
    answer.headers["Tus-Resumable"] = VERSION
    return answer


@blueprint.route("", methods=["OPTIONS"])
@blueprint.response(204)
def what_is_spoken() -> Response:
    """查询续传协议的版本和上限."""
    told = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.current().max_clip_bytes),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    }
    return Response(status=204, headers=told)


@blueprint.route("", methods=["POST"])
@requires()
@tus(
    header("Upload-Length", "文件字节数", COUNT),
    header("Upload-Metadata", "名称与 base64 值，逗号分隔", {"type": "string"}, required=False),
)
@may_answer("too_large", "invalid", "too_many_uploads")
@blueprint.response(201)
def begin_upload() -> Response:
    """开始一次上传；`Location` 是续传地址."""
    size = number("Upload-Length")
    if size > settings.current().max_clip_bytes:
        raise Problem("too_large", headers={"Tus-Max-Size": str(settings.current().max_clip_bytes)})
    try:
        upload = uploads.begin(str(current_principal().id), size, metadata())
    except uploads.TooManyUploads as error:
        raise Problem("too_many_uploads") from error
    location = url_for("uploads.how_far", upload_id=ObjectId(upload.id))
    return Response(status=201, headers={"Location": location, **standing(upload)})


@blueprint.route("/<record_id:upload_id>", methods=["HEAD"])
@requires()
@tus()
@blueprint.response(200)
def how_far(upload_id: ObjectId) -> Response:
    """查询已收到的字节数."""
    upload = own(str(upload_id), current_principal())
    told = {"Upload-Length": str(upload.size), "Cache-Control": "no-store", **standing(upload)}
    if upload.metadata:
        told["Upload-Metadata"] = ",".join(f"{name} {encoded(text)}".strip() for name, text in upload.metadata.items())
    return Response(status=200, headers=told)


@blueprint.route("/<record_id:upload_id>", methods=["PATCH"])
@requires()
@tus(
    header("Upload-Offset", "续传位置，须等于已收到的字节数", COUNT),
    header("Upload-Checksum", "这一段的校验值：sha1 或 sha256，空格，base64", {"type": "string"}, required=False),
)
@may_answer("upload_moved", "too_large", "unsupported_media_type", "checksum_mismatch")
@blueprint.doc(requestBody={"content": {PORTION: {"schema": {"type": "string", "format": "binary"}}}})
@blueprint.response(204)
def continue_upload(upload_id: ObjectId) -> Response:
    """从续传位置起接收一段内容；中断时已安全存下的部分保留."""
    if request.mimetype != PORTION:
        raise Problem("unsupported_media_type")
    upload = own(str(upload_id), current_principal())
    if number("Upload-Offset") != upload.offset:
        raise Problem("upload_moved", headers=standing(upload))
    if (request.content_length or 0) > upload.size - upload.offset:
        raise Problem("too_large")
    checksum = request.headers.get("Upload-Checksum")
    try:
        upload = append_checked(upload, checksum) if checksum is not None else append_all(upload)
    except UploadMoved as error:
        raise Problem("upload_moved") from error
    except UploadOverrun as error:
        raise Problem("too_large") from error
    return Response(status=204, headers=standing(upload))


@blueprint.route("/<record_id:upload_id>", methods=["DELETE"])
@requires()
@tus()
@blueprint.response(204)
def end_upload(upload_id: ObjectId) -> Response:
    """取消上传并删除已收到的内容."""
    uploads.drop_upload(own(str(upload_id), current_principal()).id)
    return Response(status=204)


def append_all(upload: Upload) -> Upload:
    """Add the body part by part, each safe before the next begins; what came before an interruption stays."""
    body = Body()
    while not body.ended:
        before = upload.offset
        upload = uploads.append(upload, body.read(PART_BYTES))
        if upload.offset == before:
            break
    return upload


def append_checked(upload: Upload, checksum: str) -> Upload:
    """Add the body as a whole if it has this checksum, else nothing of it."""
    algorithm, _, value = checksum.partition(" ")
    if algorithm not in CHECKSUMS:
        raise Problem("bad_request", detail=f"校验算法只能是 {'、'.join(CHECKSUMS)}。")
    digest = hashlib.new(algorithm)

    def checked() -> Iterator[bytes]:
        body = Body()
        for piece in body.read(upload.size + 1):
            digest.update(piece)
            yield piece
        if base64.b64encode(digest.digest()).decode() != value.strip():
            raise Problem("checksum_mismatch")

    return uploads.append(upload, checked())


class Body:
    """The body of the request as it comes in; one that breaks off ends there."""

    def __init__(self) -> None:
        self.stream = request.stream
        self.ended = False

    def read(self, most: int) -> Iterator[bytes]:
        """Yield up to `most` bytes in small pieces."""
        while most > 0 and not self.ended:
            try:
                piece = self.stream.read(min(READ_BYTES, most))
            except (ClientDisconnected, OSError):
                piece = b""
            self.ended = not piece
            most -= len(piece)
            if piece:
                yield piece


def standing(upload: Upload) -> dict[str, str]:
    """Return the headers that say how far an upload is and until when it may be continued."""
    until = formatdate(upload.expires_at.timestamp(), usegmt=True)
    return {"Upload-Offset": str(upload.offset), "Upload-Expires": until}


def number(name: str) -> int:
    """Return a header that must hold a number of bytes; raises Problem `invalid`."""
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem("invalid", fields={name: ["必填，须为字节数。"]})
    return int(text)


def metadata() -> dict[str, str]:
    """Return what the client says of the file, by name; raises Problem `invalid`."""
    told = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        name, _, value = pair.strip().partition(" ")
        try:
            told[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise Problem("invalid", fields={"Upload-Metadata": ["须为名称与 base64 值，逗号分隔。"]}) from None
    if any(not name or name.startswith("$") or "." in name for name in told):
        raise Problem("invalid", fields={"Upload-Metadata": ["名称有误。"]})
    return told


def encoded(text: str) -> str:
    """Return a text as metadata carries it."""
    return base64.b64encode(text.encode()).decode()
