"""Who may read the ledger reads it, each in his or her own area, and sees how it stands."""

from __future__ import annotations

from typing import Any

import pytest

from backend import jobs, storage
from backend.monitoring import run_checks
from plugins.evidence.custody import ledger
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.stamping import stamp_waiting
from plugins.evidence.custody.standing import proof_status
from plugins.evidence.health import CHECKS
from tests.custody.chains import write
from tests.district import EAST, EAST_ONE, WEST_ONE, District

LEDGER = "/api/v1/evidence/ledger"


@pytest.fixture
def written(district: District) -> District:
    write(3, area=EAST_ONE, case="c1")
    write(2, area=WEST_ONE, kind="downloaded", purpose="移送")
    write(1, area="44")
    return district


def seqs(answer: dict[str, Any]) -> list[int]:
    return [each["seq"] for each in answer["items"]]


def test_entries_are_listed_newest_first_and_by_what_is_asked(written: District) -> None:
    staff = written.sign_in("district_staff")
    assert seqs(staff.get(LEDGER)) == [5, 4, 3, 2, 1]
    assert seqs(staff.get(LEDGER, case="c1", subject_id="s1")) == [2]
    assert seqs(staff.get(LEDGER, kind="downloaded", actor="system")) == [5, 4]
    assert seqs(staff.get(LEDGER, actor="nobody")) == []
    assert seqs(staff.get(LEDGER, within=EAST)) == [3, 2, 1]
    assert seqs(staff.get(LEDGER, until="2000-01-01T00:00:00Z")) == []
    assert seqs(staff.get(LEDGER, since="2000-01-01T00:00:00Z")) == [5, 4, 3, 2, 1]
    first = staff.get(LEDGER, limit=2)
    assert seqs(first) + seqs(staff.get(LEDGER, limit=9, cursor=first["next_cursor"])) == [5, 4, 3, 2, 1]
    entry = first["items"][0]
    assert (entry["kind_title"], entry["purpose"], entry["actor"]["name"]) == ("下载", "移送", "系统")


def test_nobody_reads_beyond_his_area_or_without_the_permission(written: District) -> None:
    officer = written.sign_in("enforcement_officer", EAST)
    assert seqs(officer.get(LEDGER)) == [3, 2, 1]
    assert officer.call("GET", f"{LEDGER}?district=44").status_code == 404
    assert officer.call("POST", f"{LEDGER}/verify", json={"district": "44"}).status_code == 404
    street = written.sign_in("street_staff", EAST)
    for address in ("", "/roots", "/status"):
        assert street.call("GET", LEDGER + address).status_code == 403
        assert written.anyone("GET", LEDGER + address).status_code == 401
    everywhere = written.sign_in("administrator", "")
    assert seqs(everywhere.get(LEDGER, district="44")) == [1]


def test_roots_and_status_tell_how_the_proofs_stand(written: District) -> None:
    staff = written.sign_in("district_staff")
    before = staff.get(f"{LEDGER}/status")
    assert (before["entries"], before["unrooted"], before["last_root"], before["verification"]) == (5, 5, None, None)
    make_roots("33")
    [root] = staff.get(f"{LEDGER}/roots")["items"]
    assert (root["number"], root["first"], root["last"], root["stamp"]["state_title"]) == (1, 1, 5, "等待中")
    assert root["signature"]["algorithm"] == "Ed25519"
    assert staff.get(f"{LEDGER}/status")["stamps_waiting"] == 1
    stamp_waiting()
    write(1)
    status = staff.get(f"{LEDGER}/status")
    assert (status["entries"], status["unrooted"], status["waiting"], status["stamps_waiting"]) == (6, 1, 0, 0)
    assert status["last_root"]["number"] == status["last_stamp"]["number"] == 1
    assert (status["authority"], status["last_stamp"]["checked"]) == ("local", "full")
    assert "token" not in staff.get(f"{LEDGER}/roots")["items"][0]["stamp"]
    assert proof_status("33").last_stamp.authority == "local"


def test_a_verification_that_was_asked_for_shows_in_the_status(written: District) -> None:
    staff = written.sign_in("district_staff")
    started = staff.call("POST", f"{LEDGER}/verify", json={})
    assert started.status_code == 202 and started.json["district"] == "33"
    jobs.run_worker(["reports"], burst=True)
    found = staff.get(f"{LEDGER}/status")["verification"]
    assert (found["entries"], found["fault"]) == (5, None)
    assert health() == ("ok", "存证链完整：5 条，0 个根，0 个时间戳。")
    storage.database().evidence_ledger.update_one({"district": "33", "seq": 4}, {"$set": {"purpose": "无"}})
    staff.call("POST", f"{LEDGER}/verify", json={"district": "33"})
    jobs.run_worker(["reports"], burst=True)
    found = staff.get(f"{LEDGER}/status")["verification"]
    assert (found["fault"]["place"], found["fault"]["number"], found["fault"]["what"]) == ("entry", 4, "altered")
    assert health()[0] == "fail" and "第 4 条的内容被改动" in health()[1]


def test_the_health_page_tells_of_entries_that_nobody_chains(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "chain", lambda _district: 0)
    write()
    assert health()[0] == "ok"
    long_ago = storage.utcnow().replace(year=2025)
    storage.database().evidence_ledger_waiting.update_many({}, {"$set": {"at": long_ago}})
    assert health()[0] == "warn"


def health() -> tuple[str, str]:
    [result] = run_checks([each for each in CHECKS if each.name == "evidence.ledger"])
    return result.state, result.detail
