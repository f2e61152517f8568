"""Schema fields of base records; `label` is the Chinese name used in forms, messages and spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import phonenumbers
from marshmallow import Schema, ValidationError, fields, missing, validate
from stdnum.cn import ric

CODE = re.compile(r"[0-9A-Za-z]{1,32}")


class Text(fields.String):
    """Trimmed text of limited length."""

    def __init__(self, label: str, *, longest: int = 100, example: str = "", **options: Any) -> None:
        shortest = 1 if options.get("required") else 0
        checks = [validate.Length(min=shortest, max=longest), *options.pop("validate", [])]
        super().__init__(validate=checks, metadata={"label": label, "example": example}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


class Code(Text):
    """A code that people and other systems know the record by: letters and digits, unique in its register."""

    def __init__(self, label: str, **options: Any) -> None:
        check = validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z", error="只能由 1 至 32 位字母或数字组成。")
        super().__init__(label, longest=32, validate=[check], **options)


class AreaCode(Text):
    """The code of an area; the module finds the area path that belongs to it."""

    def __init__(self, label: str, **options: Any) -> None:
        check = validate.Regexp(r"^[0-9A-Za-z]{1,32}\Z", error="区域编码只能由字母或数字组成。")
        super().__init__(label, longest=32, validate=[check], **options)


class Longitude(fields.Float):
    """WGS-84 degrees east."""

    def __init__(self, label: str = "经度", **options: Any) -> None:
        super().__init__(validate=validate.Range(-180, 180), metadata={"label": label, "example": "120.1"}, **options)


class Latitude(fields.Float):
    """WGS-84 degrees north."""

    def __init__(self, label: str = "纬度", **options: Any) -> None:
        super().__init__(validate=validate.Range(-90, 90), metadata={"label": label, "example": "30.2"}, **options)


class Private(Text):
    """Private data: encrypted in the store, shown masked as `mask` says (see `protection.mask`)."""

    def __init__(self, label: str, *, mask: str, **options: Any) -> None:
        super().__init__(label, **options)
        self.mask = mask

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "*" not in text:
            return text
        if getattr(self.parent, "keep_masked", False):
            return ""
        raise ValidationError("含有脱敏字符“*”，请填写完整内容。")


class Phone(Private):
    """A Chinese phone number, mobile or land line; kept as its digits."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, mask="phone", longest=20, **{"example": "13800000000", **options})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        return normal_phone(text) if text else text


class IdNumber(Private):
    """A resident identity card number (居民身份证), checked by its check digit."""

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(label, mask="id_number", longest=18, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).upper()
        if text and not ric.is_valid(text):
            raise ValidationError("不是有效的居民身份证号码。")
        return text


def normal_phone(text: str) -> str:
    """Return the digits of a valid Chinese number; raises ValidationError."""
    # The plain mobile number is by far the commonest; the full parser costs fifty times as much.
    if re.fullmatch(r"1[3-9][0-9]{9}", text):
        return text
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException as error:
        raise ValidationError("不是有效的电话号码。") from error
    if number.country_code != 86 or not phonenumbers.is_valid_number(number):
        raise ValidationError("不是有效的电话号码。")
    return re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))


class Choice(fields.String):
    """One of a few codes; people may write its Chinese name, as spreadsheets do."""

    def __init__(self, label: str, choices: Mapping[str, str], **options: Any) -> None:
        check = validate.OneOf(tuple(choices), labels=tuple(choices.values()), error="只能是：{labels}。")
        super().__init__(validate=check, metadata={"label": label, "choices": dict(choices)}, **options)
        self.codes = {title: code for code, title in choices.items()}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        return self.codes.get(text, text)


class Choices(fields.List):
    """Several of a few codes; in a spreadsheet cell their Chinese names stand with 、 between."""

    def __init__(self, label: str, choices: Mapping[str, str], **options: Any) -> None:
        check = validate.Length(max=len(choices))
        metadata = {"label": label, "choices": dict(choices)}
        super().__init__(Choice(label, choices), validate=check, metadata=metadata, **options)


class RecordSchema(Schema):
    """What every base record shows besides its own fields.

    With `keep_masked` a private value that is still masked, as exported tables have it, counts as left empty.
    """

    def __init__(self, *, keep_masked: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.keep_masked = keep_masked

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Let null stand for a value that is not there, and clear one that was."""
        if not field_obj.required and field_obj.load_default is missing:
            field_obj.allow_none = True

    id = fields.String(dump_only=True, metadata={"label": "编号"})
    etag = fields.String(dump_only=True, metadata={"label": "版本"})
    area = fields.String(dump_only=True, metadata={"label": "区域路径"})
    active = fields.Boolean(dump_only=True, metadata={"label": "启用"})
    created_at = fields.DateTime(dump_only=True, metadata={"label": "创建时间"})
    updated_at = fields.DateTime(dump_only=True, metadata={"label": "更新时间"})
