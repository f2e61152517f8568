"""The messages of marshmallow and its validators in Simplified Chinese.

Importing this module translates the defaults in place, for every field made afterwards. `backend.http` imports it
first of all, so it comes before any schema of the platform or of a plugin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

UNKNOWN = "没有这个字段。"
WRONG_TYPE = "内容的类型不正确。"

FIELD_MESSAGES: Mapping[type[fields.Field[Any]], Mapping[str, str]] = {
    fields.Field: {"required": "必填。", "null": "不能为空。", "validator_failed": "内容不正确。"},
    fields.Nested: {"type": WRONG_TYPE},
    fields.List: {"invalid": "应为列表。"},
    fields.Tuple: {"invalid": "应为列表。"},
    fields.String: {"invalid": "应为文字。", "invalid_utf8": "文字编码应为 UTF-8。"},
    fields.UUID: {"invalid_uuid": "应为 UUID。"},
    fields.Number: {"invalid": "应为数字。", "too_large": "数字过大。"},
    fields.Integer: {"invalid": "应为整数。"},
    fields.Float: {"special": "应为普通数字。"},
    fields.Decimal: {"special": "应为普通数字。"},
    fields.Boolean: {"invalid": "应为“是”或“否”。"},
    fields.DateTime: {
        "invalid": "应为日期和时间，如 2026-01-31T08:30:00+08:00。",
        "invalid_awareness": "时间须写明时区，如 2026-01-31T08:30:00+08:00。",
        "format": "应为日期和时间。",
    },
    fields.NaiveDateTime: {"invalid_awareness": "时间不应写时区。"},
    fields.AwareDateTime: {"invalid_awareness": "时间须写明时区，如 2026-01-31T08:30:00+08:00。"},
    fields.Time: {"invalid": "应为时间，如 08:30。", "format": "应为时间。"},
    fields.Date: {"invalid": "应为日期，如 2026-01-31。", "format": "应为日期。"},
    fields.TimeDelta: {"invalid": "应为时长。", "format": "应为时长。"},
    fields.Mapping: {"invalid": "应为键值对。"},
    fields.Url: {"invalid": "应为网址。"},
    fields.Email: {"invalid": "应为邮箱地址。"},
    fields.IP: {"invalid_ip": "应为 IP 地址。"},
    fields.Enum: {"unknown": "只能是：{choices}。"},
}

VALIDATOR_MESSAGES: Mapping[type[validate.Validator], Mapping[str, str]] = {
    validate.URL: {"default_message": "应为网址。"},
    validate.Email: {"default_message": "应为邮箱地址。"},
    validate.Range: {
        "message_min": "应{min_op} {{min}}。",
        "message_max": "应{max_op} {{max}}。",
        "message_all": "应{min_op} {{min}} 且{max_op} {{max}}。",
        "message_gte": "不小于",
        "message_gt": "大于",
        "message_lte": "不大于",
        "message_lt": "小于",
    },
    validate.Length: {
        "message_min": "长度至少为 {min}。",
        "message_max": "长度最多为 {max}。",
        "message_all": "长度应为 {min} 至 {max}。",
        "message_equal": "长度应为 {equal}。",
    },
    validate.Equal: {"default_message": "应等于 {other}。"},
    validate.Regexp: {"default_message": "格式不正确。"},
    validate.Predicate: {"default_message": "内容不正确。"},
    validate.NoneOf: {"default_message": "不能使用这个值。"},
    validate.OneOf: {"default_message": "只能是：{choices}。"},
    validate.ContainsOnly: {"default_message": "只能包含：{choices}。"},
    validate.ContainsNoneOf: {"default_message": "不能包含：{values}。"},
}

for _field, _messages in FIELD_MESSAGES.items():
    _field.default_error_messages = {**_field.__dict__.get("default_error_messages", {}), **_messages}
for _validator, _messages in VALIDATOR_MESSAGES.items():
    for _name, _text in _messages.items():
        setattr(_validator, _name, _text)
Schema._default_error_messages = {"type": WRONG_TYPE, "unknown": UNKNOWN}


def flattened(messages: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield (path, sentences) from marshmallow's nested messages, `{"points": {0: {...}}}` becoming `points.0`.

    Messages about the whole object have the path `_`.
    """
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            step = "" if key == "_schema" else str(key)
            yield from flattened(inner, f"{path}.{step}" if path and step else path or step)
    elif isinstance(messages, list) and all(isinstance(each, str) for each in messages):
        yield path or "_", messages
    else:
        yield path or "_", [str(messages)]
