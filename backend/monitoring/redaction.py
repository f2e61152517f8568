"""Take private data out of whatever is about to be logged or stored as an error text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: What stands in the log where something private stood.
REMOVED = "[removed]"

#: Data nested deeper than this is not worth a log line.
DEEPEST = 8

# A value whose name contains one of these is private, whatever it looks like.
PRIVATE_NAMES = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "authorization", "credential", "cookie", "apikey",
    "phone", "mobile", "id_number", "id_card", "idcard", "identity_card",
    "密码", "口令", "密钥", "令牌", "手机", "电话", "身份证",
)  # fmt: skip
# These hold keys only as a whole word: `master_key` and `key` do, `keyset` and `key_version` do not.
PRIVATE_NAME = re.compile(r"(?:^|_)(?:key|pin|otp)$")

# `token=abc`, `"password": "abc def"`, `密码：abc` inside a text, such as an address or the message of an error.
# All repeats are bounded, so that no text makes this slow.
NAMED_VALUE = re.compile(
    rf"""(?P<name>(?:{"|".join(PRIVATE_NAMES)}|(?<![a-z])key\b)"""
    r"""[\w-]{0,30}["']?\s{0,3}[=:：]\s{0,3})"""
    r"""(?P<value>"[^"]*"|'[^']*'|(?:Bearer|Basic)\s+\S+|[^\s&,;"'}\])，；。]+)""",
    re.IGNORECASE,
)

# What is private by its look. `\d` takes full-width digits too. The longest come first.
PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s:-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z))",
        r"(?i:\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}",
        r"\beyJ[\w-]+\.[\w-]+\.[\w-]*",  # JSON Web Token
        r"(?<=://)[^\s/@]+:[^\s/@]+(?=@)",  # the account in mongodb://account:password@host
        r"(?<!\d)\d{6}[ -]?\d{8}[ -]?\d{3}[\dXxＸｘ](?![\dXx])",  # identity card
        r"(?<!\d)[1-9]\d{7}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?!\d)",  # identity card of the first kind
        r"(?<!\d)(?:\+?[8８][6６][ -]?)?[1１][3-9３-９]\d[ -]?\d{4}[ -]?\d{4}(?!\d)",  # mobile phone
        r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)",  # land line
    )
)


def redact(value: Any, *, _depth: int = 0) -> Any:
    """Return `value` without private data, in names and values, as deep as it goes; numbers may become text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        text = str(value)
        cleaned = redact_text(text)
        return value if cleaned == text else cleaned
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if _depth == DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {
            redact_text(str(name)): REMOVED if is_private_name(str(name)) else redact(each, _depth=_depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(each, _depth=_depth + 1) for each in value]
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """Return `text` without what looks private in it: phones, identity cards, tokens, passwords, keys."""
    text = NAMED_VALUE.sub(lambda match: match["name"] + REMOVED, text)
    for pattern in PATTERNS:
        text = pattern.sub(REMOVED, text)
    return text


def is_private_name(name: str) -> bool:
    """Say whether a value of this name is private, as `reporter_phone` and `apiKey` are."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(" ", "_")
    return PRIVATE_NAME.search(name) is not None or any(each in name for each in PRIVATE_NAMES)
