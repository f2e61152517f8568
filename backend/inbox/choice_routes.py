"""Which channels reach a person, and when not."""

from __future__ import annotations

from typing import Any

from backend.http import Blueprint, Problem, if_match, if_match_version, requires
from backend.identity import current_principal, own_phone
from backend.inbox.schemas import ChoiceFieldsSchema, ChoiceSchema
from backend.messages import Choice, ChoiceChanged, channels, choice_of, choose

blueprint = Blueprint("message_choice", __name__, url_prefix="/api/v1/me/message-choice", description="本人的消息设置")


@blueprint.route("")
@requires()
@blueprint.response(200, ChoiceSchema, ready=True)
def get_choice() -> Any:
    """本人的接收渠道与免打扰时段."""
    return shown_choice(choice_of(current_principal().id))


@blueprint.route("", methods=["PATCH"])
@requires()
@if_match
@blueprint.arguments(ChoiceFieldsSchema)
@blueprint.response(200, ChoiceSchema, ready=True)
def change_choice(values: dict[str, Any]) -> Any:
    """修改接收渠道与免打扰时段."""
    person = current_principal().id
    known = {each.name for each in channels()}
    if unknown := sorted(values.get("channels", {}).keys() - known):
        raise Problem("invalid", fields={"channels": [f"没有渠道 {'、'.join(unknown)}。"]})
    try:
        changed = choose(
            person,
            if_match_version(person),
            channels=values.get("channels"),
            quiet_hours=values.get("own_quiet_hours"),
        )
    except ChoiceChanged as error:
        raise Problem("stale_version") from error
    return shown_choice(changed)


def shown_choice(choice: Choice) -> dict[str, Any]:
    """Return the person's choice, with all channels that there are."""
    principal = current_principal()
    has_phone = bool(own_phone(principal))
    return {
        "etag": f"{principal.id}-{choice.version}",
        "channels": [
            {
                "name": each.name,
                "title": each.title,
                "on": choice.takes(each.name),
                "lacks_phone": each.needs_phone and not has_phone,
            }
            for each in channels()
        ],
        "own_quiet_hours": choice.own_quiet_hours,
        "quiet_hours": choice.quiet_hours,
    }
