"""The routes of the registers: all as the platform makes them, and the signing key of a device."""

from __future__ import annotations

from typing import Any

from bson import ObjectId
from marshmallow import Schema, fields

from backend.plugin_api import current_principal, if_match, if_match_version, requires, resource_blueprint
from plugins.base_info.service import DEVICES, RESOURCES, issue_signing_key

BLUEPRINTS = {resource.name: resource_blueprint(resource) for resource in RESOURCES}


class SigningKeySchema(Schema):
    """The new key, shown this once."""

    code = fields.String(metadata={"description": "设备编码"})
    signing_key = fields.String(metadata={"description": "签名密钥，十六进制，只显示这一次"})
    etag = fields.String()


devices = BLUEPRINTS[DEVICES.name]


@devices.route("/<record_id:device_id>/signing-key", methods=["POST"])
@requires("base_info:edit")
@if_match
@devices.response(200, SigningKeySchema)
def renew_signing_key(device_id: ObjectId) -> dict[str, Any]:
    """更换设备的签名密钥；新密钥只在此答复中出现，旧密钥随即失效."""
    row, key = issue_signing_key(current_principal(), device_id, if_match_version(device_id))
    return {"code": row["code"], "signing_key": key, "etag": f"{row['_id']}-{row['version']}"}
