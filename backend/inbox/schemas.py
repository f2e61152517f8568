"""What goes into and comes out of the routes of messages."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from backend.http import PageArgs
from backend.messages import are_quiet_hours

RECORD_ID = validate.Regexp(r"^[0-9a-f]{24}\Z", error="编号应为 24 位十六进制。")
CHANNEL = validate.Regexp(r"^[a-z][a-z0-9_.]{0,80}\Z", error="渠道名称有误。")


def quiet_hours(value: str) -> None:
    """Refuse what says no quiet hours; the empty text is those of the platform."""
    if value and not are_quiet_hours(value):
        raise ValidationError("免打扰时段应写作 22:00-07:00；不需要免打扰请写 none。")


class InboxArgs(PageArgs):
    """Which of the own messages to list."""

    unread = fields.Boolean(load_default=False, metadata={"description": "只列未读"})


class MessageSchema(Schema):
    """A message; `summed` above 0 says that it stands for so many that came too fast."""

    id = fields.String(required=True)
    template = fields.String(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)
    href = fields.String(required=True, metadata={"description": "相关页面，没有时为空"})
    subject = fields.String(required=True, metadata={"description": "相关记录的种类"})
    subject_id = fields.String(required=True, metadata={"description": "相关记录的编号"})
    area = fields.String(required=True)
    urgent = fields.Boolean(required=True)
    summed = fields.Integer(required=True)
    created_at = fields.AwareDateTime(required=True)
    read_at = fields.AwareDateTime(required=True, allow_none=True)


class UnreadSchema(Schema):
    """How many messages are unread: counted up to 99, `shown` is then 99+."""

    count = fields.Integer(required=True)
    shown = fields.String(required=True, metadata={"example": "99+"})


class ReadAllSchema(Schema):
    """Up to which message; without it all."""

    until = fields.String(validate=RECORD_ID, metadata={"description": "所见最新一条的编号；其后到达的保持未读"})


class ReadSchema(Schema):
    """How many messages were marked."""

    marked = fields.Integer(required=True)


class ChannelChoiceSchema(Schema):
    """One channel and whether it is chosen; `lacks_phone` where it cannot work without a number."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    on = fields.Boolean(required=True)
    lacks_phone = fields.Boolean(required=True)


class ChoiceSchema(Schema):
    """The own choice; empty `own_quiet_hours` are those of the platform."""

    etag = fields.String(required=True)
    channels = fields.List(fields.Nested(ChannelChoiceSchema), required=True)
    own_quiet_hours = fields.String(required=True)
    quiet_hours = fields.String(required=True, metadata={"description": "现行免打扰时段"})


class ChoiceFieldsSchema(Schema):
    """What may be changed of the own choice."""

    channels = fields.Dict(
        keys=fields.String(validate=CHANNEL),
        values=fields.Boolean(),
        validate=validate.Length(0, 50),
        metadata={"description": "渠道名称与是否接收"},
    )
    own_quiet_hours = fields.String(validate=[validate.Length(0, 20), quiet_hours], metadata={"example": "22:00-07:00"})


class TemplateFieldSchema(Schema):
    """A field that the text may use."""

    name = fields.String(required=True)
    meaning = fields.String(required=True)


class TemplateSchema(Schema):
    """A template as it is worded now, and as its module words it."""

    etag = fields.String(required=True)
    name = fields.String(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)
    channels = fields.List(fields.String(), required=True)
    urgent = fields.Boolean(required=True)
    own_title = fields.String(required=True, metadata={"description": "模块自带的标题"})
    own_text = fields.String(required=True, metadata={"description": "模块自带的正文"})
    fields_ = fields.List(fields.Nested(TemplateFieldSchema), required=True, data_key="fields")


class TemplatesSchema(Schema):
    """All templates, by name, and the channels that there are."""

    items = fields.List(fields.Nested(TemplateSchema), required=True)
    channels = fields.List(fields.Nested(TemplateFieldSchema), required=True)


class WordingSchema(Schema):
    """What may be changed of a template."""

    title = fields.String(validate=validate.Length(1, 40))
    text = fields.String(validate=validate.Length(1, 500))
    channels = fields.List(fields.String(validate=CHANNEL), validate=validate.Length(0, 20))


class HistoryArgs(Schema):
    """A page of changes."""

    cursor = fields.String(validate=RECORD_ID, metadata={"description": "上一页的 next_cursor"})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200), metadata={"description": "每页条数"})


class WordingChangeSchema(Schema):
    """One change of a wording: `detail` holds [before, after] by field."""

    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    actor = fields.String(required=True)
    detail = fields.Dict(required=True)


class FailedSchema(Schema):
    """A message that could not be sent; `channel` is empty while it is on its way to the inboxes."""

    id = fields.String(required=True)
    template = fields.String(required=True)
    title = fields.String(required=True)
    to = fields.String(required=True, metadata={"description": "收件人姓名"})
    channel = fields.String(required=True)
    channel_title = fields.String(required=True)
    area = fields.String(required=True)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True)
    ended_at = fields.AwareDateTime(required=True)


class FailedListSchema(Schema):
    """Messages that could not be sent, the latest first."""

    items = fields.List(fields.Nested(FailedSchema), required=True)


def unread(count: int, most: int) -> dict[str, Any]:
    """Return an unread count as people see it."""
    shown = f"{most - 1}+" if count >= most else str(count)
    return {"count": min(count, most - 1), "shown": shown}
