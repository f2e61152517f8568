"""What goes out."""

from __future__ import annotations

from marshmallow import Schema, fields


class SightingSchema(Schema):
    """One sighting."""

    id = fields.String(required=True)
    area = fields.String(required=True, metadata={"description": "区域路径"})
    capture = fields.String(required=True, metadata={"description": "取证记录编号"})
    kind = fields.String(required=True, metadata={"description": "物品种类"})
    pieces = fields.Integer(required=True, metadata={"description": "物品数量"})
    seen_at = fields.AwareDateTime(required=True, metadata={"description": "发现时间"})
