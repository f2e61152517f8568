"""Passwords: the rules they must keep, how they are stored, and the history that forbids going back."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.identity.errors import Invalid

MIN_LENGTH = 10
MAX_LENGTH = 128
HISTORY = 3

#: OWASP's argon2id choice for servers that check many at once: 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

_LOOKALIKES = str.maketrans("@40135$7!", "aaoiessti")


def hash_password(password: str) -> str:
    """Return the argon2id hash with its salt and parameters."""
    return _hasher.hash(password)


def password_fits(password: str, stored: str) -> bool:
    """Tell whether `password` is the one behind the hash `stored`."""
    try:
        return _hasher.verify(stored, password[:MAX_LENGTH])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def nobodys_password() -> str:
    """Return a hash that no password fits, so that an unknown account costs as much time as a known one."""
    return hash_password(secrets.token_urlsafe(32))


def is_outdated(stored: str) -> bool:
    """Tell whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def check_password(password: str, *, account: str, name: str, phone: str, history: Sequence[str] = ()) -> None:
    """Raise Invalid with every rule that a new password breaks; `history` are the hashes of the last ones."""
    messages = []
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        messages.append(f"密码长度应为 {MIN_LENGTH} 至 {MAX_LENGTH} 位。")
    if not password.isprintable():
        messages.append("密码含有无法使用的字符。")
    if _classes(password) < 3:
        messages.append("密码应包含大写字母、小写字母、数字、符号中的至少三种。")
    lowered = password.casefold()
    if any(len(own) > 1 and own.casefold() in lowered for own in (account, name, phone.removeprefix("+86"))):
        messages.append("密码不能包含账号、姓名或手机号。")
    if _is_common(password):
        messages.append("密码过于常见，请更换。")
    if not messages and any(password_fits(password, old) for old in history[:HISTORY]):
        messages.append(f"不能使用最近 {HISTORY} 次用过的密码。")
    if messages:
        raise Invalid(fields={"password": messages})


def random_password() -> str:
    """Return a password that keeps the rules and can be read out: no letters that look alike."""
    alphabet = [letter for letter in string.ascii_letters + string.digits if letter not in "0Oo1lI"]
    while True:
        password = "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(3))
        if _classes(password) == 4:
            return password


def _classes(password: str) -> int:
    kinds = (str.isupper, str.islower, str.isdigit, lambda letter: not letter.isalnum())
    return sum(any(kind(letter) for letter in password) for kind in kinds)


def _is_common(password: str) -> bool:
    """Tell whether nothing but digits, symbols and look-alike letters sets a password apart from a common one."""
    lowered = password.casefold()
    stripped = lowered.strip(string.digits + string.punctuation)
    unmasked = lowered.translate(_LOOKALIKES)
    forms = {lowered, stripped, unmasked, unmasked.rstrip(string.digits + string.punctuation)}
    unmasked_stem = lowered.rstrip(string.digits + string.punctuation).translate(_LOOKALIKES)
    return bool((forms | {unmasked_stem}) & _common_passwords())


@cache
def _common_passwords() -> frozenset[str]:
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
    return frozenset(lines)
