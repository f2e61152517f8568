"""Boards: which panels stand where on a page of the cockpit, as an administrator arranged them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.errors import DuplicateKeyError

from backend.identity import Principal, require_anywhere
from backend.protection import audit
from backend.screens.models import Board, BoardVersion
from backend.storage import atomically, utcnow
from backend.workflow import StaleVersion

PERMISSION = "platform:boards"
PLACES = ("top", "left", "right")
MOST_PANELS = 40
MOST_VERSIONS = 30

Places = Mapping[str, Sequence[str]]


def boards_for(viewer: Principal) -> list[dict[str, Any]]:
    """Return the arranged boards for a viewer; what is for his type goes before what is for everybody."""
    rows = Board._get_collection().find({"audience": {"$in": ["", viewer.user_type]}}).sort("audience", 1)
    found = {(row["theme"], row["area"]): row for row in rows}
    return [
        {"theme": theme, "area": area, "places": row["places"]} for (theme, area), row in found.items() if row["places"]
    ]


def find_board(viewer: Principal, theme: str, area: str, audience: str) -> Board | None:
    """Return a board as it stands; raises Forbidden."""
    require_anywhere(viewer, PERMISSION)
    row = Board._get_collection().find_one({"theme": theme, "area": area, "audience": audience})
    return Board._from_son(row) if row else None


def save_board(viewer: Principal, theme: str, area: str, audience: str, places: Places, version: int) -> Board:
    """Keep a board in place of its version `version`, 0 for a new one; its history is kept.

    No places give the page back to the arrangement that panels bring along. Raises Forbidden, and StaleVersion when
    somebody else has saved it meanwhile.
    """
    require_anywhere(viewer, PERMISSION)
    kept = {place: list(places.get(place, ())) for place in PLACES} if any(places.values()) else {}
    board = find_board(viewer, theme, area, audience) or Board(theme=theme, area=area, audience=audience, version=0)
    if board.version != version:
        raise StaleVersion
    changes = {"places": kept, "saved_by_name": viewer.name, "updated_at": utcnow(), "version": version + 1}

    def work() -> None:
        boards = Board._get_collection()
        if version == 0:
            boards.insert_one({**board.to_mongo(), **changes})
        elif not boards.update_one({"_id": board.id, "version": version}, {"$set": changes}).matched_count:
            raise StaleVersion
        kept_too = BoardVersion(board=board.id, number=version + 1, places=kept, saved_by_name=viewer.name)
        kept_too.save(force_insert=True)
        detail = {"theme": theme, "audience": audience, "panels": sum(map(len, kept.values()))}
        audit.record("cockpit.board.change", subject="board", subject_id=str(board.id), area=area, detail=detail)

    try:
        atomically(work)
    except DuplicateKeyError as error:
        raise StaleVersion from error
    return Board._from_son(Board._get_collection().find_one({"_id": board.id}))


def history_of(board: Board) -> list[BoardVersion]:
    """Return what a board was, newest first."""
    found = BoardVersion._get_collection().find({"board": board.id}).sort("number", -1).limit(MOST_VERSIONS)
    return [BoardVersion._from_son(row) for row in found]
