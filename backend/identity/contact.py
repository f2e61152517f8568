"""Checks of phone and identity card numbers."""

from __future__ import annotations

import phonenumbers
from stdnum.cn import ric
from stdnum.exceptions import ValidationError


def normal_phone(value: str) -> str:
    """Return a Chinese mobile number or landline as digits with country code, such as `+8613812345678`.

    Raises ValueError when it cannot be a number.
    """
    try:
        number = phonenumbers.parse(value, "CN")
    except phonenumbers.NumberParseException as error:
        raise ValueError("手机号码不正确。") from error
    if not phonenumbers.is_valid_number(number):
        raise ValueError("手机号码不正确。")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def short_phone(value: str) -> str:
    """Return the number as people in China write it, such as `13812345678`; raises ValueError."""
    return normal_phone(value).removeprefix("+86")


def normal_id_number(value: str) -> str:
    """Return an 18-digit identity card number with its check digit proven; raises ValueError."""
    try:
        return str(ric.validate(value))
    except ValidationError as error:
        raise ValueError("身份证号码不正确。") from error
