"""What can be wrong with a request for a record; the HTTP floor answers each with its problem."""

from __future__ import annotations

from collections.abc import Mapping


class RecordFault(Exception):
    """A record cannot be read or written as asked."""


class RecordNotFound(RecordFault):
    """There is no such record in the area that the person may use."""


class StaleVersion(RecordFault):
    """The record has been changed since the person read it."""


class InvalidValues(RecordFault):
    """Values break a rule of the module; `fields` holds a Chinese sentence for each."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = dict(fields)


class DuplicateCode(RecordFault):
    """Another record has this code already."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
