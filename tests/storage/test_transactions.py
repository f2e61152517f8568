"""What waits for the end of a transaction, and what becomes of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest
from pymongo.errors import DuplicateKeyError

from backend.storage import after_commit, atomically, database, insert_later, settle, transactions, upsert_later

pytestmark = pytest.mark.usefixtures("clean")


@pytest.fixture(params=["MongoDB 8", "MongoDB 7"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send what waits in one message, and one by one as an older server needs it."""
    if request.param == "MongoDB 7":
        monkeypatch.setattr(transactions, "_takes_many", lambda _: False)
    return str(request.param)


def content(name: str) -> list[dict[str, object]]:
    return list(database()[name].find({}, {"_id": 0}).sort("n", 1))


def test_what_waits_is_written_at_the_end(server: str) -> None:
    database()["t_two"].insert_one({"n": 7, "seen": 1})

    def work() -> str:
        insert_later("t_one", {"n": 1})
        insert_later("t_one", {"n": 2})
        upsert_later("t_two", {"n": 7}, {"$inc": {"seen": 1}, "$setOnInsert": {"new": True}})
        upsert_later("t_two", {"n": 8}, {"$inc": {"seen": 1}, "$setOnInsert": {"new": True}})
        assert content("t_one") == []
        return "done"

    assert atomically(work) == "done"
    assert content("t_one") == [{"n": 1}, {"n": 2}]
    assert content("t_two") == [{"n": 7, "seen": 2}, {"n": 8, "seen": 1, "new": True}]


def test_settled_writes_can_be_read_in_the_same_transaction(server: str) -> None:
    def work() -> None:
        for number in (1, 2):
            insert_later("t_one", {"n": number})
        settle()
        assert content("t_one") == [{"n": 1}, {"n": 2}]

    atomically(work)
    assert len(content("t_one")) == 2


def test_outside_of_a_transaction_nothing_waits() -> None:
    insert_later("t_one", {"n": 1})
    upsert_later("t_one", {"n": 2}, {"$set": {"made": True}})
    assert content("t_one") == [{"n": 1}, {"n": 2, "made": True}]


def test_a_failure_leaves_nothing_of_what_waited(server: str) -> None:
    def work() -> None:
        insert_later("t_one", {"n": 1})
        insert_later("t_two", {"n": 1})
        settle()
        insert_later("t_one", {"n": 2})
        raise LookupError

    with pytest.raises(LookupError):
        atomically(work)
    assert content("t_one") == content("t_two") == []
    atomically(lambda: None)
    assert content("t_one") == []


def test_a_taken_key_is_told_as_by_the_write_itself(server: str) -> None:
    database()["t_key"].create_index([("n", 1)], unique=True)
    database()["t_key"].insert_one({"n": 1})

    def work() -> None:
        insert_later("t_one", {"n": 1})
        insert_later("t_key", {"n": 1})

    with pytest.raises(DuplicateKeyError):
        atomically(work)
    assert content("t_one") == []
    database().drop_collection("t_key")


def test_what_is_to_be_done_after_the_commit_is_done_once_however_often_it_was_said(server: str) -> None:
    told: list[str] = []

    @dataclass(frozen=True)
    class Wish:
        name: str

        def __call__(self) -> None:
            told.append(self.name)

    def work() -> None:
        for name in ("a", "b", "a", "a"):
            after_commit(Wish(name))
        assert told == []

    atomically(work)
    assert told == ["a", "b"]


def test_transactions_that_meet_are_tried_again(server: str) -> None:
    told: list[int] = []
    start = threading.Barrier(4)

    def count(number: int) -> None:
        def work() -> None:
            upsert_later("t_sum", {"_id": "sum"}, {"$inc": {"total": 1}})
            insert_later("t_one", {"n": number})
            after_commit(lambda: told.append(number))

        start.wait()
        for _ in range(10):
            atomically(work)

    database()["t_sum"].insert_one({"_id": "sum", "total": 0})
    threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database()["t_sum"].find_one() == {"_id": "sum", "total": 40}
    assert (database()["t_one"].count_documents({}), len(told)) == (40, 40)
