"""Messages to people: templates, delivery into inboxes, channels beside them, and what each person chose."""

from backend.messages import carrying, delivering
from backend.messages.carrying import text_of
from backend.messages.choices import Choice, ChoiceChanged, choice_of, choose
from backend.messages.dead import CHECK, dead_messages, send_again
from backend.messages.file_channel import FILE
from backend.messages.inbox import MOST_COUNTED, count_unread, inbox_filter, mark_all_read, mark_read
from backend.messages.models import DOCUMENTS, Message
from backend.messages.quiet import are_quiet_hours
from backend.messages.records import ALL, Channel, MessageTemplate, Outgoing, Recipients
from backend.messages.registry import channels, install, template_of, templates
from backend.messages.sending import send_message
from backend.messages.templates import (
    Wording,
    WordingChanged,
    change_wording,
    unknown_channels,
    wordings_of,
)
from backend.messages.wording import WordingError

#: What the platform's workers do for messages.
HANDLERS = (delivering.HANDLER, carrying.HANDLER)

__all__ = [
    "ALL",
    "CHECK",
    "DOCUMENTS",
    "FILE",
    "HANDLERS",
    "MOST_COUNTED",
    "Channel",
    "Choice",
    "ChoiceChanged",
    "Message",
    "MessageTemplate",
    "Outgoing",
    "Recipients",
    "Wording",
    "WordingChanged",
    "WordingError",
    "are_quiet_hours",
    "change_wording",
    "channels",
    "choice_of",
    "choose",
    "count_unread",
    "dead_messages",
    "inbox_filter",
    "install",
    "mark_all_read",
    "mark_read",
    "send_again",
    "send_message",
    "template_of",
    "templates",
    "text_of",
    "unknown_channels",
    "wordings_of",
]
