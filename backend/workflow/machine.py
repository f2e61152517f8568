"""State machines with time limits: declared as data, checked when declared, moved by one conditional update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from mongoengine import Document
from mongoengine.queryset import QuerySet

from backend import storage
from backend.events import EventKind, publish
from backend.protection import Actor
from backend.workflow.errors import IllegalTransition, StaleVersion, TransitionRefused
from backend.workflow.records import BACK, Limit, Transition

D = TypeVar("D", bound=Document)


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """The states a record goes through, with Chinese titles, and the ways between them.

    In a state of `suspended` the clock stands still; a transition to `BACK` lets it run on where it stood. Raises
    ValueError when the declaration cannot be right: an unreachable state, a dead end that is not `final`, a verb
    that is not clear.
    """

    name: str
    title: str
    initial: str
    states: Mapping[str, str]
    transitions: Sequence[Transition]
    final: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    limits: Mapping[str, Limit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_names()
        self._check_verbs()
        self._check_ways()

    def begin(
        self,
        document: D,
        *,
        actor: Actor,
        note: str = "",
        at: datetime | None = None,
        due_at: datetime | None = None,
    ) -> D:
        """Put a new, unsaved document into the initial state, with its first timeline entry; returns it.

        `due_at` is when it is due where that does not follow from the state alone.
        """
        now = at or storage.utcnow()
        document.state = self.initial
        document.due_at = due_at or self._due_at(document, self.initial, now)
        document.timeline = [self._entry("begin", "", self.initial, actor, note, now)]
        return document

    def fire(
        self,
        document: D,
        verb: str,
        *,
        actor: Actor,
        note: str = "",
        changes: Mapping[str, Any] | None = None,
        announce: Mapping[str, Any] | None = None,
        at: datetime | None = None,
        due_at: datetime | None = None,
    ) -> D:
        """Move a record on and return it as it is then; `document` itself is left alone.

        One update, conditional on id, state and version, sets state, time limit, `changes` (values of fields) and
        appends to the timeline. `due_at` is the new time limit where that follows from more than the state, such as a
        calendar; a suspended state has none all the same. With `announce` the event `<workflow>.<verb>` is published
        in the same transaction; its payload is id, from, to, actor and what `announce` holds. Raises
        IllegalTransition, TransitionRefused, StaleVersion, and ValidationError for changes that the document does not
        allow.
        """
        way = self._way(document.state, verb)
        refused = way.guard(document) if way.guard else None
        if refused:
            raise TransitionRefused(refused)
        now = at or storage.utcnow()
        target = document.paused_from if way.target == BACK else way.target
        clock = self._clock(document, way, target, now)
        if due_at is not None and target not in self.suspended:
            clock["due_at"] = due_at
        moved = {**(changes or {}), **clock, "state": target}
        update = _difference(document, {**moved, "version": document.version + 1, "updated_at": now})
        update["$push"] = {"timeline": self._entry(verb, document.state, target, actor, note, now)}
        unchanged = {"_id": document.pk, "state": document.state, "version": document.version}

        def move() -> D:
            after = type(document).objects(__raw__=unchanged).modify(__raw__=update, new=True)
            if after is None:
                raise StaleVersion(f"{self.name}: {document.pk} was changed by somebody else.")
            if announce is not None:
                told = {"id": str(document.pk), "from": document.state, "to": target, "actor": actor.id, **announce}
                publish(f"{self.name}.{verb}", told, area=getattr(document, "area", "") or "")
            return after

        return storage.atomically(move)

    def verbs(self, document: Document, permitted: Callable[[str], bool] = lambda _: True) -> list[Transition]:
        """Return the ways that are open to a record now, for whoever holds what `permitted` says yes to."""
        return [
            way
            for way in self.transitions
            if document.state in way.sources
            and (not way.permission or permitted(way.permission))
            and not (way.guard and way.guard(document))
        ]

    def overdue(self, documents: type[D], now: datetime | None = None) -> QuerySet[D]:
        """Return the records past their time limit, the longest first; uses the index on due_at."""
        return documents.objects(due_at__lte=now or storage.utcnow()).order_by("due_at")

    def event_kinds(self) -> list[EventKind]:
        """Return the events that `fire` can announce."""
        titles = {way.verb: way.title for way in self.transitions}
        return [
            EventKind(name=f"{self.name}.{verb}", title=f"{self.title}：{title}", payload="id, from, to, actor")
            for verb, title in titles.items()
        ]

    def _way(self, state: str, verb: str) -> Transition:
        for way in self.transitions:
            if way.verb == verb and state in way.sources:
                return way
        raise IllegalTransition(self.name, state, verb)

    def _clock(self, document: Document, way: Transition, target: str, now: datetime) -> dict[str, Any]:
        if target in self.suspended:
            if document.state in self.suspended:
                return {}
            left = round((document.due_at - now).total_seconds()) if document.due_at else None
            return {"due_at": None, "paused_from": document.state, "paused_seconds": left}
        if way.target == BACK:
            left = document.paused_seconds
            due_at = None if left is None else now + timedelta(seconds=left)
        else:
            due_at = self._due_at(document, target, now)
        return {"due_at": due_at, "paused_from": None, "paused_seconds": None}

    def _due_at(self, document: Document, state: str, now: datetime) -> datetime | None:
        limit = self.limits.get(state)
        if callable(limit):
            limit = limit(document)
        return None if limit is None else now + limit

    def _entry(self, verb: str, source: str, target: str, actor: Actor, note: str, at: datetime) -> dict[str, Any]:
        parts = {"verb": verb, "from": source, "to": target, "at": at}
        return {**parts, "actor": actor.id, "actor_kind": actor.kind, "note": note}

    def _check_names(self) -> None:
        named = {self.initial, *self.final, *self.suspended, *self.limits}
        for way in self.transitions:
            named |= {*way.sources, way.target} - {BACK}
        unknown = sorted(named - set(self.states))
        if unknown:
            raise ValueError(f"Workflow {self.name}: there is no state {', '.join(unknown)}.")
        timed = sorted({*self.final, *self.suspended} & set(self.limits))
        if timed:
            raise ValueError(f"Workflow {self.name}: {', '.join(timed)} can have no time limit.")

    def _check_verbs(self) -> None:
        taken = set()
        for way in self.transitions:
            for source in way.sources:
                if (source, way.verb) in taken:
                    raise ValueError(f"Workflow {self.name}: {way.verb} leads two ways from {source}.")
                taken.add((source, way.verb))
                if way.target == BACK and source not in self.suspended:
                    raise ValueError(
                        f"Workflow {self.name}: {way.verb} leads back from {source}, which stops no clock."
                    )

    def _check_ways(self) -> None:
        leads: dict[str, set[str]] = {state: set() for state in self.states}
        for way in self.transitions:
            for source in way.sources:
                leads[source] |= self._entrances(source) if way.target == BACK else {way.target}
        reached, ahead = {self.initial}, [self.initial]
        while ahead:
            new = leads[ahead.pop()] - reached
            reached |= new
            ahead += new
        if set(self.states) - reached:
            raise ValueError(f"Workflow {self.name}: nothing leads to {', '.join(sorted(set(self.states) - reached))}.")
        for state, targets in leads.items():
            if state in self.final and targets:
                raise ValueError(f"Workflow {self.name}: {state} is final, yet something leads from it.")
            if state not in self.final and not targets:
                raise ValueError(f"Workflow {self.name}: nothing leads from {state}, which is not final.")

    def _entrances(self, suspended: str) -> set[str]:
        direct = {source for way in self.transitions if way.target == suspended for source in way.sources}
        return direct - set(self.suspended)


def _difference(document: D, values: Mapping[str, Any]) -> dict[str, Any]:
    # Both sides go through the document, so that each field stores its value in its own way (encrypted, indexed).
    before = document.to_mongo()
    draft = type(document)(**{**{name: getattr(document, name) for name in document}, **values})
    draft.validate()
    after = draft.to_mongo()
    gone = {key: "" for key in before if key not in after}
    changed = {key: value for key, value in after.items() if key not in before or before[key] != value}
    return {"$set": changed, **({"$unset": gone} if gone else {})}
