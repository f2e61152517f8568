"""Search conditions that a client may use; each turns one query parameter into one declared Mongo condition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from marshmallow import fields, validate

from backend.protection import blind_index
from backend.records.fields import Phone


class Filter(Protocol):
    """A condition on one declared field."""

    def schema_field(self) -> fields.Field[Any]:
        """Return the marshmallow field that checks the parameter."""

    def condition(self, document: type, value: Any) -> dict[str, Any]:
        """Return the Mongo condition for a checked value."""


@dataclass(frozen=True)
class Equals:
    """The field has exactly this value."""

    name: str
    title: str
    choices: tuple[str, ...] = ()
    boolean: bool = False

    def schema_field(self) -> fields.Field[Any]:
        """Return the field of the parameter."""
        if self.boolean:
            return fields.Boolean(metadata={"description": self.title})
        check = validate.OneOf(self.choices) if self.choices else validate.Length(1, 200)
        return fields.String(validate=check, metadata={"description": self.title})

    def condition(self, document: type, value: Any) -> dict[str, Any]:
        """Return the condition."""
        return {self.name: {"$eq": value}}


@dataclass(frozen=True)
class Contains:
    """The text stands anywhere in one of the fields; for names, inside what the scope leaves."""

    names: tuple[str, ...]
    title: str
    longest: int = 50

    def schema_field(self) -> fields.Field[Any]:
        """Return the field of the parameter."""
        return fields.String(validate=validate.Length(1, self.longest), metadata={"description": self.title})

    def condition(self, document: type, value: Any) -> dict[str, Any]:
        """Return the condition."""
        pattern = {"$regex": re.escape(value), "$options": "i"}
        if len(self.names) == 1:
            return {self.names[0]: pattern}
        return {"$or": [{name: pattern} for name in self.names]}


@dataclass(frozen=True)
class PhoneIs:
    """The encrypted phone is this one, looked up by its blind index."""

    name: str
    title: str
    index: str = field(default="")

    def schema_field(self) -> fields.Field[Any]:
        """Return the field of the parameter."""
        phone = Phone(self.title)
        phone.metadata = {"description": self.title}
        return phone

    def condition(self, document: type, value: Any) -> dict[str, Any]:
        """Return the condition."""
        return {self.index or f"{self.name}_index": blind_index(document, self.name, value)}
