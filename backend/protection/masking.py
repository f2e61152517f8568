"""Masking (脱敏): what of a private value may be shown to someone without the permission to see it.

Each kind shows at most what its line says, and nothing at all of a value too short for it; the number of stars never
tells the length of what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_STARS: Final = "****"
#: Province, city, district and street at the start of an address, each at most once; 小区 and 社区 are closer.
_AREAS = re.compile(
    "".join(
        rf"(?:[\u4e00-\u9fff]{{1,10}}?{unit})?"
        for unit in ("(?:省|自治区)", "(?:市|自治州|盟)", "(?:(?<![小社园])区|县|旗)", "(?:街道|镇|乡)")
    )
)
_SEPARATORS = re.compile(r"[\s\-()（）]+")


def mask_ends(value: str, *, first: int, last: int, least: int) -> str:
    """Show the first and last characters of a value of at least `least`; of a shorter one nothing."""
    return value[:first] + _STARS + value[len(value) - last :] if len(value) >= least else _STARS


def mask_phone(value: str) -> str:
    """Show three and four digits: 138****5678. A landline or a shorter number shows its last two."""
    digits = _SEPARATORS.sub("", value)
    if len(digits) >= 11:
        return mask_ends(digits, first=3, last=4, least=11)
    return mask_ends(digits, first=0, last=2, least=7)


def mask_id_number(value: str) -> str:
    """Show the province and city digits and the last four: 330****1234. The date of birth stays hidden."""
    return mask_ends(_SEPARATORS.sub("", value), first=3, last=4, least=15)


def mask_name(value: str) -> str:
    """Show the first character: 张*. Of a name of one character nothing."""
    return value[0] + "*" if len(value) > 1 else "*"


def mask_address(value: str) -> str:
    """Show the areas down to the street, 浙江省杭州市上城区****, never a building, a room or any number."""
    areas = _AREAS.match(value)
    return (areas.group() if areas else "") + _STARS


def mask_plate(value: str) -> str:
    """Show the place of registration and the last two: 浙A****45."""
    return mask_ends(_SEPARATORS.sub("", value).replace("·", ""), first=2, last=2, least=7)


def mask_text(value: str) -> str:
    """Show nothing."""
    return _STARS


KINDS: Final[dict[str, Callable[[str], str]]] = {
    "phone": mask_phone,
    "id_number": mask_id_number,
    "name": mask_name,
    "address": mask_address,
    "plate": mask_plate,
    "text": mask_text,
}


def mask(kind: str, value: str | None) -> str:
    """Return the masked form of a value of one of KINDS; nothing stays nothing. Raises KeyError for another kind."""
    return KINDS[kind](value.strip()) if value and value.strip() else ""
