"""The routes of the registers: all as the platform makes them, and the signing key of a device."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from flask import Response
from flask_smorest.fields import Upload
from marshmallow import Schema, fields

from backend.plugin_api import (
    Problem,
    current_principal,
    district_of,
    find,
    get_blob,
    if_match,
    if_match_version,
    may_answer,
    present,
    read_photo,
    requires,
    resource_blueprint,
)
from plugins.base_info.schemas import DeviceSchema
from plugins.base_info.service import DEVICES, RESOURCES, issue_signing_key, keep_sign_photo

BLUEPRINTS = {resource.name: resource_blueprint(resource) for resource in RESOURCES}


class SigningKeySchema(Schema):
    """The new key, shown this once."""

    code = fields.String(metadata={"description": "设备编码"})
    signing_key = fields.String(metadata={"description": "签名密钥，十六进制，只显示这一次"})
    etag = fields.String()


class SignPhotoSchema(Schema):
    """The photo of the sign that tells people of the device."""

    photo = Upload(required=True, metadata={"description": "提示标志照片，JPEG、PNG 或 WebP"})


devices = BLUEPRINTS[DEVICES.name]


@devices.route("/<record_id:device_id>/signing-key", methods=["POST"])
@requires("base_info:edit")
@if_match
@devices.response(200, SigningKeySchema)
def renew_signing_key(device_id: ObjectId) -> dict[str, Any]:
    """更换设备的签名密钥；新密钥只在此答复中出现，旧密钥随即失效."""
    row, key = issue_signing_key(current_principal(), device_id, if_match_version(device_id))
    return {"code": row["code"], "signing_key": key, "etag": f"{row['_id']}-{row['version']}"}


@devices.route("/<record_id:device_id>/sign-photo", methods=["POST"])
@requires("base_info:edit")
@if_match
@may_answer("unreadable_image", "image_too_large")
@devices.arguments(SignPhotoSchema, location="files")
@devices.response(200, DeviceSchema, ready=True)
def upload_sign_photo(files: dict[str, Any], device_id: ObjectId) -> dict[str, Any]:
    """上传设备提示标志的照片；取证记录引用收取时的照片."""
    version = if_match_version(device_id)
    return present(DEVICES, keep_sign_photo(current_principal(), device_id, version, files["photo"].read()))


@devices.route("/<record_id:device_id>/sign-photo", methods=["GET"])
@requires("base_info:view")
@devices.response(200, content_type="image/jpeg")
def get_sign_photo(device_id: ObjectId) -> Response:
    """查看设备提示标志的照片."""
    row = find(DEVICES, current_principal(), device_id)
    if not row.get("sign_photo"):
        raise Problem("not_found")
    photo = get_blob(row["sign_photo"], space=district_of(row["area"]))
    return Response(photo, mimetype=read_photo(photo).media_type, headers={"Cache-Control": "private, max-age=3600"})
