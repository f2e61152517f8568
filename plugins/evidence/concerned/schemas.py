"""What the person concerned sends and sees, and what reviewers do."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import Schema, fields, pre_load, validate

from backend.plugin_api import Phone
from plugins.evidence.concerned.models import LONGEST_DEFENCE, MOST_PHOTOS

SHORTEST_DEFENCE = 10


def lasting(text: str) -> str:
    """Return text as it is kept: without space around it, with the line ends of one kind, without what no text has."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


class CodeSchema(Schema):
    """What opens a record."""

    code = fields.String(required=True, validate=validate.Length(1, 100), metadata={"description": "告知书上的告知码"})


class WordsSchema(Schema):
    """Text of people, trimmed before it is measured."""

    @pre_load
    def trim(self, given: Any, **_options: Any) -> Any:
        """Trim every text."""
        items = given.items() if hasattr(given, "items") else ()
        return {name: lasting(value) if isinstance(value, str) else value for name, value in items}


class DefenceForm(WordsSchema):
    """What the person concerned states."""

    text = fields.String(
        required=True,
        validate=validate.Length(
            SHORTEST_DEFENCE, LONGEST_DEFENCE, error=f"请填写 {SHORTEST_DEFENCE} 至 {LONGEST_DEFENCE} 个字。"
        ),
        metadata={"description": "陈述申辩的内容"},
    )
    phone = Phone("联系电话", load_default="")


class DefencePhotos(Schema):
    """The photos of a defence."""

    photos = fields.List(
        Upload(),
        load_default=list,
        validate=validate.Length(max=MOST_PHOTOS, error=f"最多 {MOST_PHOTOS} 张照片。"),
        metadata={"description": "照片，最多 3 张"},
    )


class OwnDefenceSchema(Schema):
    """A defence as the person who filed it sees it."""

    id = fields.String()
    filed_at = fields.DateTime()
    text = fields.String()
    photos = fields.Integer()
    answer = fields.String(allow_none=True)
    upheld = fields.Boolean(allow_none=True)
    answered_at = fields.DateTime(allow_none=True)


class MaskedRecordSchema(Schema):
    """A case as the person concerned sees it: `pictures` are ids, to be opened below /notice/pictures."""

    number = fields.String()
    violation_title = fields.String()
    first_at = fields.DateTime()
    last_at = fields.DateTime()
    place = fields.String()
    state = fields.String()
    state_title = fields.String()
    next = fields.String()
    penalty = fields.Boolean()
    noticed_at = fields.DateTime()
    defence_until = fields.DateTime()
    may_defend = fields.Boolean()
    pictures = fields.List(fields.String())
    defences = fields.List(fields.Nested(OwnDefenceSchema))


class NoticeSchema(Schema):
    """The notice, with the code that opens the record."""

    title = fields.String()
    number = fields.String()
    code = fields.String()
    page = fields.String()
    violation_title = fields.String()
    seen_at = fields.DateTime()
    place = fields.String()
    noticed_at = fields.DateTime()
    defence_until = fields.DateTime()
    facts = fields.String()
    law = fields.List(fields.String())
    rights = fields.List(fields.String())
    how = fields.String()


class DefencePhotoSchema(Schema):
    """A photo of a defence and where it is."""

    sha256 = fields.String()
    size = fields.Integer()
    picture = fields.String()


class DefenceSchema(OwnDefenceSchema):
    """A defence as reviewers see it; the phone is masked."""

    etag = fields.String()
    phone = fields.String()
    photos = fields.List(fields.Nested(DefencePhotoSchema))  # type: ignore[assignment]
    answered_name = fields.String(allow_none=True)


class DefenceListSchema(Schema):
    """All defences of a case."""

    items = fields.List(fields.Nested(DefenceSchema))


class AnswerSchema(WordsSchema):
    """The answer to a defence; `upheld` says that it was found to be right."""

    answer = fields.String(required=True, validate=validate.Length(2, LONGEST_DEFENCE))
    upheld = fields.Boolean(required=True)


class WhySchema(Schema):
    """Why somebody looks at what is private."""

    purpose = fields.String(load_default="", validate=validate.Length(max=200))


class PhoneSchema(Schema):
    """A phone in the clear."""

    phone = fields.String()
