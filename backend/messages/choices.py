"""What one person chose: which channels reach him or her, and when not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bson import ObjectId
from mongoengine.errors import NotUniqueError

from backend import settings
from backend.messages.models import MessageChoice
from backend.messages.registry import channel_of
from backend.storage import utcnow


class ChoiceChanged(Exception):
    """The choice was changed elsewhere since it was read."""


@dataclass(frozen=True)
class Choice:
    """A person's choice; version 0 is that of whoever never chose. Empty quiet hours are the platform's."""

    channels: Mapping[str, bool] = field(default_factory=dict)
    own_quiet_hours: str = ""
    version: int = 0

    @property
    def quiet_hours(self) -> str:
        """The quiet hours that count."""
        return self.own_quiet_hours or settings.current().quiet_hours

    def takes(self, channel: str) -> bool:
        """Tell whether messages reach the person over this channel; what was never switched off does."""
        return self.channels.get(channel, True)


def choice_of(person: ObjectId) -> Choice:
    """Return what a person chose."""
    stored = MessageChoice.objects(id=person).first()
    return Choice(dict(stored.channels), stored.quiet_hours, stored.version) if stored else Choice()


def choose(
    person: ObjectId, version: int, *, channels: Mapping[str, bool] | None = None, quiet_hours: str | None = None
) -> Choice:
    """Change a person's choice; channels that are not installed stay as they were chosen.

    Raises ChoiceChanged when it has another version by now.
    """
    before = choice_of(person)
    wanted = {name: on for name, on in (channels or {}).items() if channel_of(name) is not None}
    after = Choice(
        {**before.channels, **wanted}, before.own_quiet_hours if quiet_hours is None else quiet_hours, version + 1
    )
    if before.version != version:
        raise ChoiceChanged
    values = {"channels": dict(after.channels), "quiet_hours": after.own_quiet_hours}
    if version == 0:
        try:
            MessageChoice(id=person, **values).save(force_insert=True)
        except NotUniqueError as error:
            raise ChoiceChanged from error
        return after
    changes = {"$set": {**values, "updated_at": utcnow()}, "$inc": {"version": 1}}
    if not MessageChoice._get_collection().update_one({"_id": person, "version": version}, changes).modified_count:
        raise ChoiceChanged
    return after
