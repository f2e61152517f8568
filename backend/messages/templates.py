"""How templates are worded now: as their plugin says, or as an administrator wrote it anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from mongoengine.errors import NotUniqueError

from backend.messages.models import MessageWording
from backend.messages.records import ALL, MessageTemplate
from backend.messages.registry import channel_of, named_channels
from backend.messages.wording import check_wording
from backend.protection import audit
from backend.storage import atomically, utcnow

#: The kind of record that the audit trail calls it; its id there is the template's name.
SUBJECT = "message_template"


class WordingChanged(Exception):
    """Somebody else changed the wording since it was read."""


@dataclass(frozen=True)
class Wording:
    """Title, text and channels of a template as they are now; version 0 is the plugin's own."""

    title: str
    text: str
    channels: tuple[str, ...]
    version: int


def wording_of(template: MessageTemplate) -> Wording:
    """Return how a template is worded now.

    A stored wording with fields that the template has no more gives way to the plugin's own.
    """
    return _wording(template, MessageWording.objects(template=template.name).first())


def wordings_of(templates: Iterable[MessageTemplate]) -> list[tuple[MessageTemplate, Wording]]:
    """Return templates with their wordings, in one round trip."""
    stored = {each.template: each for each in MessageWording.objects}
    return [(each, _wording(each, stored.get(each.name))) for each in templates]


def change_wording(template: MessageTemplate, version: int, changes: Mapping[str, Any]) -> Wording:
    """Word a template anew, and audit it; `changes` are of title, text and channels.

    Raises WordingError for what cannot be used, WordingChanged when it has another version by now.
    """
    found: Wording | None = None

    def write() -> Wording:
        before = wording_of(template)
        after = _merged(before, changes)
        check_wording(after.title, after.text, template.known_fields)
        _store(template.name, before, after, version)
        names = ("title", "text", "channels")
        differing = [name for name in names if getattr(before, name) != getattr(after, name)]
        audit.record(
            "platform.message_template.change",
            subject=SUBJECT,
            subject_id=template.name,
            detail={name: [_plain(getattr(before, name)), _plain(getattr(after, name))] for name in differing},
        )
        return after

    try:
        found = atomically(write)
    except NotUniqueError as error:
        raise WordingChanged from error
    return found


def unknown_channels(names: Sequence[str]) -> list[str]:
    """Return those of the names that no installed channel has."""
    return [name for name in names if name != ALL and channel_of(name) is None]


def channel_titles(wording: Wording) -> list[str]:
    """Return the Chinese titles of the channels that carry a template now."""
    found = (channel_of(name) for name in named_channels(wording.channels))
    return [each.title for each in found if each is not None]


def _merged(before: Wording, changes: Mapping[str, Any]) -> Wording:
    return Wording(
        title=changes.get("title", before.title).strip(),
        text=changes.get("text", before.text).strip(),
        channels=tuple(changes.get("channels", before.channels)),
        version=before.version + 1,
    )


def _store(name: str, before: Wording, after: Wording, version: int) -> None:
    if before.version != version:
        raise WordingChanged
    values = {"title": after.title, "text": after.text, "channels": list(after.channels)}
    if before.version == 0:
        MessageWording(id=ObjectId(), template=name, **values).save(force_insert=True)
        return
    changes = {"$set": {**values, "updated_at": utcnow()}, "$inc": {"version": 1}}
    if not MessageWording._get_collection().update_one({"template": name, "version": version}, changes).modified_count:
        raise WordingChanged


def _wording(template: MessageTemplate, stored: MessageWording | None) -> Wording:
    if stored is None:
        return Wording(template.title, template.text, template.channels, 0)
    try:
        check_wording(stored.title, stored.text, template.known_fields)
    except ValueError:
        return Wording(template.title, template.text, template.channels, stored.version)
    return Wording(stored.title, stored.text, tuple(stored.channels), stored.version)


def _plain(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)
