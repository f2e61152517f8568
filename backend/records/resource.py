"""What a module says of one kind of base record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from backend.protection import BlindIndexField, EncryptedStringField
from backend.records.fields import Private, RecordSchema
from backend.records.filters import Filter
from backend.storage import PlacedRecord

Values = dict[str, Any]
#: What was written: the record before, None for a new one, and after.
Written = Sequence[tuple[Mapping[str, Any] | None, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One kind of base record: from this the platform makes its routes, tables, events and permissions.

    `complete` receives loaded rows, sets what follows from other records (above all `area`) and returns, per row, the
    faults found: field name to Chinese sentence. It is called once per request or import, so it must ask the store in
    batches. `follow` runs in the transaction of each write with the records before (None for a new one) and after, for
    what the module keeps in step.
    """

    name: str
    noun: str
    title: str
    module: str
    document: type[PlacedRecord]
    schema: type[RecordSchema]
    complete: Callable[[Sequence[Values]], Sequence[Mapping[str, str]]]
    filters: Mapping[str, Filter] = field(default_factory=dict)
    organisation_field: str | None = None
    fixed: tuple[str, ...] = ("code",)
    metrics: tuple[str, ...] = ()
    follow: Callable[[Written], None] | None = None

    def permission(self, action: str) -> str:
        """Return the permission that `action` (view, edit, import, export, reveal) on this resource asks for."""
        return f"{self.module}:{action}"

    @property
    def subject(self) -> str:
        """Name the resource in the audit trail and in events, such as `base_info.compound`."""
        return f"{self.module}.{self.noun}"

    @cached_property
    def private(self) -> dict[str, Private]:
        """The schema's private fields by name."""
        return {name: each for name, each in self.schema().fields.items() if isinstance(each, Private)}

    @cached_property
    def sealed(self) -> frozenset[str]:
        """The names of the stored fields that hold ciphertext or its index."""
        sealing = (EncryptedStringField, BlindIndexField)
        return frozenset(name for name, each in self.document._fields.items() if isinstance(each, sealing))

    @cached_property
    def schema_fields(self) -> tuple[str, ...]:
        """The names of all fields that a person sees."""
        return tuple(self.schema().fields)

    @cached_property
    def writable(self) -> tuple[str, ...]:
        """The names of the fields that a person fills in."""
        return tuple(name for name, each in self.schema().fields.items() if not each.dump_only)
