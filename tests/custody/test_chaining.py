"""Every entry gets one place in its district's chain, whoever comes at once and whatever goes wrong."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from backend import storage
from backend.settings import configure
from plugins.evidence.custody import ledger
from plugins.evidence.custody.ledger import chain_waiting
from tests.custody.chains import check_chain, entries, waiting, write
from tests.district import District


def test_entries_are_chained_right_after_the_act(district: District) -> None:
    write(3)
    write(2, kind="downloaded")
    assert (check_chain(), waiting()) == (5, 0)
    assert [row["kind"] for row in entries()] == ["viewed"] * 3 + ["downloaded"] * 2


def test_each_district_has_a_chain_of_its_own(district: District) -> None:
    write(2)
    write(3, area="44/441")
    write(1, area="")
    assert (check_chain("33"), check_chain("44"), check_chain("")) == (2, 3, 1)


def test_more_than_a_batch_is_chained_in_the_order_of_the_acts(district: District) -> None:
    write(ledger.BATCH + 7)
    assert (check_chain(), waiting()) == (ledger.BATCH + 7, 0)
    assert [row["subject_id"] for row in entries()] == [f"s{number}" for number in range(ledger.BATCH + 7)]


def test_many_at_once_leave_no_gap_and_no_double(district: District) -> None:
    def work(name: str) -> None:
        for number in range(12):
            write(1, subject_id=f"{name}-{number}")

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    chain_waiting()
    assert (check_chain(), waiting()) == (72, 0)
    assert Counter(row["subject_id"] for row in entries()).most_common(1)[0][1] == 1


def test_an_act_stands_when_its_entry_cannot_be_chained_and_the_job_does_it_later(
    district: District, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fall(*_arguments: Any) -> None:
        raise AutoReconnect("the store is gone")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(ledger, "append", fall)
        write(2)
    assert (check_chain(), waiting()) == (0, 2)
    assert "ledger_waits" in caplog.text
    assert chain_waiting() == 2
    assert (check_chain(), waiting()) == (2, 0)


def test_a_clock_that_runs_back_leaves_the_order_and_is_told_as_it_was(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    write()
    now = storage.utcnow()
    monkeypatch.setattr(ledger, "utcnow", lambda: now - timedelta(days=400))
    write()
    assert check_chain() == 2
    first, second = entries()
    assert second["at"] < first["at"]


def test_nothing_is_hung_on_a_forged_head(district: District) -> None:
    write(2)
    rows = entries()
    storage.database().evidence_ledger_heads.update_one({"_id": "33"}, {"$set": {"seq": 1, "hash": rows[0]["hash"]}})
    storage.database().evidence_ledger.delete_one({"seq": 2})
    write()
    assert (len(entries()), waiting()) == (1, 1)


def test_the_hash_may_change_on_the_way_and_every_entry_names_its_own(district: District) -> None:
    write()
    configure(replace(district.settings, ledger_hash="SM3"))
    write()
    configure(district.settings)
    write()
    assert [row["hash_name"] for row in entries()] == ["SHA-256", "SM3", "SHA-256"]
