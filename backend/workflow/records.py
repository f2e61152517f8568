"""What a workflow is made of, and what it adds to a stored record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from mongoengine import DateTimeField, DictField, IntField, ListField, StringField

#: The target of a transition that leads back to where the record was before the clock was stopped.
BACK = "<back>"

#: Says why a transition is not allowed for this record, in Chinese, or None when it is.
Guard = Callable[[Any], str | None]
#: How long a record may stay in a state: fixed, or worked out from the record.
Limit = timedelta | Callable[[Any], timedelta]


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One way on: `verb` leads from any state of `source` to `target`; `title` stands on its button."""

    verb: str
    source: str | tuple[str, ...]
    target: str
    title: str
    permission: str = ""
    guard: Guard | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The states that it leads from."""
        return (self.source,) if isinstance(self.source, str) else self.source


class Flowing:
    """The fields of a record that goes through a workflow: a mixin for documents.

    A timeline entry holds verb, from, to, at, actor (an id), actor_kind and note. Names of people are not in it.
    """

    state = StringField(required=True, max_length=60)
    due_at = DateTimeField()
    timeline = ListField(DictField())
    paused_from = StringField(max_length=60)
    paused_seconds = IntField()


#: The index behind `Workflow.overdue`, for the document's `meta`: only records with a time limit are in it.
DUE_INDEX: dict[str, Any] = {"fields": ["due_at"], "sparse": True}
