"""An entry of the ledger stands or falls with the act that it tells of."""

from __future__ import annotations

from typing import Any

import pytest

from backend import storage
from backend.protection import Actor, acting
from plugins.evidence.custody import note
from tests.district import EAST_ONE, District

OFFICER = Actor(id="1", name="陈警官", kind="person", address="10.0.0.7")


def write(**values: Any) -> None:
    told = {"area": EAST_ONE, "subject": "evidence.capture", "subject_id": "a", **values}
    with acting(OFFICER):
        note(told.pop("kind", "viewed"), **told)


def entries() -> list[dict[str, Any]]:
    """Return what stands in the ledger or waits for it."""
    database = storage.database()
    return [*database.evidence_ledger.find().sort("seq"), *database.evidence_ledger_waiting.find().sort("_id")]


def test_an_entry_tells_who_did_what_where_and_why(district: District) -> None:
    storage.atomically(lambda: write(case="c", sha256="ab", purpose="复核", detail={"photo": 2, "方式": ["全屏"]}))
    (entry,) = entries()
    told = ("district", "area", "kind", "subject", "subject_id", "case", "sha256", "purpose", "detail", "actor")
    assert [entry[name] for name in told] == [
        "33", EAST_ONE, "viewed", "evidence.capture", "a", "c", "ab", "复核", {"photo": 2, "方式": ["全屏"]},
        {"id": "1", "name": "陈警官", "kind": "person", "address": "10.0.0.7"},
    ]  # fmt: skip


def test_an_act_that_fails_leaves_no_entry(district: District) -> None:
    def act() -> None:
        write()
        raise RuntimeError("after the entry")

    with pytest.raises(RuntimeError):
        storage.atomically(act)
    assert entries() == []


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"kind": "stolen"}, LookupError),
        ({"detail": {"score": 0.5}}, TypeError),
        ({"detail": {"deep": [{"when": storage.utcnow()}]}}, TypeError),
        ({"detail": {"size": 2**63}}, ValueError),
        ({"detail": {"$set": 1}}, TypeError),
        ({"detail": {"a.b": 1}}, TypeError),
        ({"detail": {"text": "\ud800"}}, ValueError),
        ({"purpose": "\ud800"}, ValueError),
    ],
)
def test_what_could_not_be_hashed_or_stored_the_same_everywhere_is_refused(
    district: District, values: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        storage.atomically(lambda: write(**values))
    assert entries() == []
