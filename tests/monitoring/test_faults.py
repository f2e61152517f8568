"""What a plugin does wrong ends at its border and is told and counted."""

from __future__ import annotations

import pytest
from mongoengine import disconnect
from prometheus_client import REGISTRY

from backend import storage
from backend.monitoring import Health, HealthCheck, faults, guard, metrics, run_checks
from backend.settings import Settings


@pytest.mark.usefixtures("clean")
def test_a_fault_is_caught_and_counted_with_its_last_error() -> None:
    for attempt in range(3):
        with guard("noise", "panel noise.level") as outcome:
            raise ValueError(f"attempt {attempt} for 13812345678")
        assert isinstance(outcome.error, ValueError)
    with guard("noise", "panel noise.level") as outcome:
        pass
    assert not outcome.failed
    (fault,) = faults.listed()
    assert (fault.plugin, fault.where, fault.count) == ("noise", "panel noise.level", 3)
    assert fault.last_error == "ValueError: attempt 2 for [removed]"
    assert faults.forget("noise") == 1 and faults.listed() == []


@pytest.mark.usefixtures("clean")
def test_a_fault_outlives_the_transaction_that_it_ended() -> None:
    def work() -> None:
        storage.database()["things"].insert_one({})
        faults.record("noise", "handler noise.count", ValueError("no"))
        raise LookupError

    with pytest.raises(LookupError):
        storage.atomically(work)
    assert [fault.where for fault in faults.listed()] == ["handler noise.count"]
    assert storage.database()["things"].count_documents({}) == 0


def test_without_a_store_a_fault_is_still_caught_and_counted(store: Settings) -> None:
    before = REGISTRY.get_sample_value("qingxu_plugin_faults_total", {"plugin": "storeless"}) or 0
    disconnect()
    try:
        with guard("storeless", "panel x") as outcome:
            raise ValueError
    finally:
        storage.connect(store.mongodb_url, store.mongodb_database)
    assert outcome.failed
    assert REGISTRY.get_sample_value("qingxu_plugin_faults_total", {"plugin": "storeless"}) == before + 1


def test_ctrl_c_is_no_fault_of_the_plugin() -> None:
    with pytest.raises(KeyboardInterrupt), guard("noise", "panel"):
        raise KeyboardInterrupt


def test_a_check_that_raises_has_failed_and_the_others_run() -> None:
    def broken() -> Health:
        raise OSError("no answer to 13812345678")

    results = run_checks(
        [
            HealthCheck(name="a", title="甲", run=broken),
            HealthCheck(name="b", title="乙", run=lambda: Health("warn", "磁盘将满")),
            HealthCheck(name="c", title="丙", run=lambda: None),  # type: ignore[arg-type,return-value]
        ]
    )
    assert [result.state for result in results] == ["fail", "warn", "fail"]
    assert "OSError" in results[0].detail and "138" not in results[0].detail


def test_metrics_name_the_route_and_the_levels() -> None:
    metrics.request_answered("GET", "/api/v1/things/<id>", 200, 0.02)
    metrics.request_answered("BREW", "/api/v1/things/<id>", 405, 0.02)
    with metrics.timing_job("noise.sum"):
        pass
    with pytest.raises(ValueError), metrics.timing_delivery("noise.count"):
        raise ValueError
    text = metrics.render([metrics.Level("qingxu_queue_jobs", "Jobs waiting", "queue", {"vision": 3})]).decode()
    assert 'qingxu_http_requests_total{method="GET",route="/api/v1/things/<id>",status="200"}' in text
    assert 'method="other"' in text and "BREW" not in text
    assert 'qingxu_jobs_total{job="noise.sum",outcome="done"} 1.0' in text
    assert 'qingxu_deliveries_total{handler="noise.count",outcome="failed"} 1.0' in text
    assert 'qingxu_queue_jobs{queue="vision"} 3.0' in text
