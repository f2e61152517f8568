"""An import larger than one transaction: written portion by portion, each whole or not at all."""

from __future__ import annotations

import io
from typing import Any

import pytest
from bson import ObjectId

from backend.identity import HeldGrant, Principal
from backend.protection import audit
from backend.records import import_rows, tabular
from backend.storage import atomically, database
from plugins.base_info.service import COMPOUNDS
from tests.district import COMPOUND, EAST_ONE, District, no_id

HEADER = "小区编码,小区名称,所属社区编码,联系电话"


def rows(count: int) -> list[str]:
    return [f"C{n:05d},小区{n},33101,139{n:08d}" for n in range(count)]


def send(caller: Any, lines: list[str], key: str = "") -> Any:
    file = io.BytesIO("\n".join([HEADER, *lines]).encode())
    headers = {"Idempotency-Key": key} if key else {}
    data = {"file": (file, "小区.csv")}
    return caller.call("POST", "/api/v1/compounds/import?mode=all", data=data, headers=headers)


def told() -> list[str]:
    """Return the ids of the compounds of which the trail tells that they were made."""
    return [
        each
        for entry in database()["audit_entries"].find({"action": "base_info.compound.create"})
        for each in ([entry["subject_id"]] if isinstance(entry["subject_id"], str) else entry["subject_id"])
    ]


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "PORTION", 10)


@pytest.mark.usefixtures("small_portions")
def test_every_row_is_written_in_the_order_of_the_file_and_in_the_persons_name(district: District) -> None:
    staff = district.sign_in()
    report = send(staff, rows(95)).json
    assert (report["total"], report["added"], report["fault_count"]) == (95, 95, 0)
    found = list(database()["compounds"].find({}, {"code": 1}).sort("_id", 1))
    assert [row["code"] for row in found] == [f"C{n:05d}" for n in range(95)]
    assert database()["areas"].count_documents({"level": "compound"}) == 95
    assert database()["rollup_marks"].count_documents({"metric": "base_info.compounds"}) > 0
    assert sorted(told()) == sorted(str(row["_id"]) for row in found)
    for row in (found[0], found[94]):
        [entry] = staff.get(f"/api/v1/compounds/{row['_id']}/history")["items"]
        assert (entry["action"], entry["detail"]["code"]) == ("base_info.compound.create", row["code"])
        assert entry["actor"] == staff.user.name


@pytest.mark.usefixtures("small_portions")
def test_the_trail_lists_an_import_as_one_act_and_tells_of_each_record_that_is_asked_for(district: District) -> None:
    staff, administrator = district.sign_in(), district.sign_in("administrator", "")
    send(staff, rows(10))
    [listed] = administrator.get("/api/v1/audit-entries", action="base_info.compound.create")["items"]
    assert (listed["subjects"], listed["subject_id"], listed["area"]) == (10, None, EAST_ONE)
    record = database()["compounds"].find_one({"code": "C00007"})
    [asked] = administrator.get("/api/v1/audit-entries", subject_id=str(record["_id"]))["items"]
    assert (asked["id"], asked["subject_id"], asked["detail"]["code"]) == (listed["id"], str(record["_id"]), "C00007")
    assert audit.verify().fault is None
    database()["audit_entries"].update_one({"_id": ObjectId(listed["id"])}, {"$set": {"detail.3.name": "改过"}})
    assert audit.verify().fault.entry_id == listed["id"]


@pytest.mark.usefixtures("small_portions")
def test_a_portion_that_another_person_overtakes_is_left_out_whole_and_named(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = district.sign_in()
    staff.add("compounds", **{**COMPOUND, "code": "C00015"})
    # As if the record had come in between looking and writing.
    monkeypatch.setattr(tabular, "stored_by_code", lambda *_: {})
    report = send(staff, rows(30)).json
    assert (report["added"], report["fault_count"]) == (20, 10)
    assert [fault["line"] for fault in report["faults"]] == list(range(12, 22))
    assert database()["compounds"].count_documents({}) == 21
    assert len(told()) == 21
    assert database()["areas"].count_documents({"level": "compound"}) == 21


@pytest.mark.usefixtures("small_portions")
def test_an_import_that_is_sent_twice_is_done_once(district: District) -> None:
    staff = district.sign_in()
    first, again = (send(staff, rows(25), key="import-25-rows") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data and again.headers["Idempotency-Replayed"] == "true"
    assert database()["compounds"].count_documents({}) == 25


@pytest.mark.usefixtures("clean")
def test_an_import_cannot_be_part_of_another_transaction() -> None:
    everything = HeldGrant(frozenset({"base_info:import"}), "")
    by = Principal(
        id=no_id(), account="a", name="a", user_type="administrator", area="", organisation=None, grants=(everything,)
    )
    with pytest.raises(RuntimeError, match="outside atomically"):
        atomically(lambda: import_rows(COMPOUNDS, by, [], mode="all", update=False))
