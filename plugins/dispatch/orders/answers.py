"""What the API answers with; the labels are the heads of exported columns."""

from __future__ import annotations

from marshmallow import Schema, fields


def label(text: str) -> dict[str, str]:
    """Return the head of a column."""
    return {"label": text}


class OrderSchema(Schema):
    """An order as it stands in a list, and as a row of a table."""

    number = fields.String(metadata=label("单号"))
    title = fields.String(metadata=label("名称"))
    kind = fields.String(metadata=label("类型编码"))
    severity = fields.Integer(metadata=label("等级"))
    source_title = fields.String(metadata=label("来源"))
    state_title = fields.String(metadata=label("状态"))
    area_name = fields.String(metadata=label("区域"))
    point_name = fields.String(allow_none=True, metadata=label("点位"))
    unit_name = fields.String(allow_none=True, metadata=label("处置单位"))
    handler_name = fields.String(allow_none=True, metadata=label("处置人"))
    created_at = fields.DateTime(metadata=label("上报时间"))
    dispatched_at = fields.DateTime(allow_none=True, metadata=label("派遣时间"))
    replied_at = fields.DateTime(allow_none=True, metadata=label("回单时间"))
    ended_at = fields.DateTime(allow_none=True, metadata=label("办结时间"))
    due_at = fields.DateTime(allow_none=True, metadata=label("当前时限"))
    overdue = fields.Boolean(metadata=label("当前超时"))
    late = fields.Boolean(metadata=label("处置超期"))
    rework = fields.Integer(metadata=label("返工次数"))
    id = fields.String()
    etag = fields.String()
    state = fields.String()
    source = fields.String()
    area = fields.String()
    point = fields.String(allow_none=True)
    unit = fields.String(allow_none=True)
    longitude = fields.Float(allow_none=True)
    latitude = fields.Float(allow_none=True)
    respond_by = fields.DateTime(allow_none=True)
    on_time = fields.Boolean(allow_none=True)
    provisional = fields.Boolean(metadata={"description": "时限内有年份的节假日尚未录入，暂按星期计算"})
    extension_pending = fields.Boolean()


#: What stands in an exported table.
TABLE = tuple(name for name, field in OrderSchema().fields.items() if "label" in field.metadata)


class OrderTableSchema(OrderSchema):
    """The columns of an exported table."""

    class Meta:
        """Only what has a head."""

        fields = TABLE
        ordered = True


class OrderPictureSchema(Schema):
    """A photo of a reply."""

    sha256 = fields.String()
    stage = fields.String()
    address = fields.String()
    width = fields.Integer()
    height = fields.Integer()


class OrderReplyViewSchema(Schema):
    """A reply as given."""

    name = fields.String()
    at = fields.DateTime()
    note = fields.String(allow_none=True)
    distance = fields.Float(allow_none=True)
    accuracy = fields.Float(allow_none=True)
    longitude = fields.Float(allow_none=True)
    latitude = fields.Float(allow_none=True)
    pictures = fields.List(fields.Nested(OrderPictureSchema))


class OrderCheckSchema(Schema):
    """A judgement of a reply."""

    name = fields.String()
    at = fields.DateTime()
    passed = fields.Boolean()
    note = fields.String(allow_none=True)


class OrderExtensionSchema(Schema):
    """A wish for more time."""

    name = fields.String()
    at = fields.DateTime()
    minutes = fields.Integer()
    reason = fields.String()
    granted = fields.Boolean(allow_none=True)


class OrderStepSchema(Schema):
    """A step in an order's history."""

    verb = fields.String()
    title = fields.String()
    at = fields.DateTime()
    name = fields.String()
    note = fields.String()


class OrderVerbSchema(Schema):
    """What the person may do now."""

    verb = fields.String()
    title = fields.String()
    needs_reason = fields.Boolean()


class OrderLimitSchema(Schema):
    """The handler's clock, in minutes."""

    unit = fields.String()
    unit_title = fields.String()
    allowed = fields.Float()
    used = fields.Float()
    running = fields.Boolean()
    escalated = fields.Integer()


class OtherOrderSchema(Schema):
    """Another order."""

    id = fields.String()
    number = fields.String()


class OrderDetailSchema(OrderSchema):
    """An order with all that belongs to it."""

    description = fields.String(allow_none=True)
    link = fields.String(allow_none=True)
    source_id = fields.String(allow_none=True)
    proof = fields.List(fields.String())
    proof_titles = fields.List(fields.String())
    far_metres = fields.Integer()
    rule = fields.String(allow_none=True)
    limit = fields.Nested(OrderLimitSchema)
    replies = fields.List(fields.Nested(OrderReplyViewSchema))
    checks = fields.List(fields.Nested(OrderCheckSchema))
    extensions = fields.List(fields.Nested(OrderExtensionSchema))
    merged_into = fields.Nested(OtherOrderSchema, allow_none=True)
    merged = fields.List(fields.Nested(OtherOrderSchema))
    history = fields.List(fields.Nested(OrderStepSchema))
    verbs = fields.List(fields.Nested(OrderVerbSchema))
    may_handle = fields.Boolean()


class NearbyOrdersSchema(Schema):
    """Open orders, the nearest first, each with `distance` in metres."""

    class Near(OrderSchema):
        """An order with how far it is."""

        distance = fields.Float()

    items = fields.List(fields.Nested(Near))


class CandidateSchema(Schema):
    """Somebody whom an order may go to, and the open orders that he, she or it has."""

    kind = fields.String()
    id = fields.String()
    name = fields.String()
    title = fields.String()
    open_orders = fields.Integer()
    suggested = fields.Boolean()


class CandidatesSchema(Schema):
    """Whom an order may go to; the suggested one first."""

    items = fields.List(fields.Nested(CandidateSchema))


class BatchResultSchema(Schema):
    """What became of one order of a batch."""

    id = fields.String()
    done = fields.Boolean()
    etag = fields.String()
    state = fields.String()
    code = fields.String()
    detail = fields.String()


class BatchResultsSchema(Schema):
    """What became of a batch, in its order."""

    done = fields.Integer()
    items = fields.List(fields.Nested(BatchResultSchema))


class UnitFiguresSchema(Schema):
    """What one unit, area or kind did; `median_minutes` is right within six per cent, all of what was reported then."""

    key = fields.String()
    name = fields.String()
    reported = fields.Integer()
    filed = fields.Integer()
    handled = fields.Integer()
    on_time = fields.Integer(metadata={"description": "已办结中按期处置的"})
    judged = fields.Integer(metadata={"description": "已办结中可判断是否按期的"})
    closed = fields.Integer()
    rework = fields.Integer()
    late = fields.Integer()
    median_minutes = fields.Float(allow_none=True)


class OrderStatisticsSchema(Schema):
    """Figures by unit, area or kind, the most first."""

    items = fields.List(fields.Nested(UnitFiguresSchema))
    since = fields.DateTime()


class OrderCountsSchema(Schema):
    """How many orders wait for whom, of those that the person may see."""

    waiting = fields.Integer()
    handling = fields.Integer()
    checking = fields.Integer()
    overdue = fields.Integer()
    mine = fields.Integer()
