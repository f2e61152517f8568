"""Secret codes, such as notice codes (告知码) and receipt codes (回执码): 16 characters that people type into a phone.

Fifteen are secret (75 bits), the last one checks them. They are those of Crockford's base32, which leaves out
what looks alike: I, L and O are read as 1, 1 and 0.
"""

from __future__ import annotations

import secrets
import unicodedata

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
_ALIKE = str.maketrans("ILO", "110")


def new_code() -> str:
    """Return a fresh code."""
    return code_from(secrets.token_bytes(16))


def code_from(secret: bytes) -> str:
    """Return the code that belongs to at least 10 secret bytes: always the same one."""
    number = int.from_bytes(secret)
    drawn = "".join(LETTERS[number >> 5 * place & 31] for place in range(LENGTH - 1))
    return drawn + check_character(drawn)


def read_code(typed: str) -> str | None:
    """Return a code as it is stored, however it was typed: spaces, dashes, full-width or small letters; else None."""
    plain = unicodedata.normalize("NFKC", typed[:100]).upper().translate(_ALIKE)
    code = "".join(each for each in plain if each.isalnum())
    if len(code) != LENGTH or not set(code) <= set(LETTERS) or check_character(code[:-1]) != code[-1]:
        return None
    return code


def in_groups(code: str) -> str:
    """Return a code as it is printed: four groups of four."""
    return " ".join(code[start : start + 4] for start in range(0, len(code), 4))


def check_character(drawn: str) -> str:
    """Return the last character: the characters, each times a power of x, summed in the field of 32 elements.

    So one wrong character is always found, and two that changed places as well.
    """
    total, weight = 0, 1
    for each in drawn:
        total ^= _product(LETTERS.index(each), weight)
        weight = _product(weight, 2)
    return LETTERS[total]


def _product(one: int, two: int) -> int:
    """Multiply in GF(32), built on x^5 + x^2 + 1."""
    result = 0
    while two:
        result ^= one if two & 1 else 0
        one <<= 1
        one ^= 0b100101 if one & 0b100000 else 0
        two >>= 1
    return result
