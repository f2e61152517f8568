"""Whatever is sent to whichever address of the real platform, the answer is documented and no fault of ours."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from backend.storage import database
from tests.district import District

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
EXAMPLES = 5
#: So many tests share the operations, for processes to share them, too.
PARTS = 6


def ids_of(district: District) -> dict[str, str]:
    """Return real ids for the addresses, so that not every one of them ends at 404."""
    rows = {name: database()[name].find_one({}, sort=[("_id", 1)]) for name in database().list_collection_names()}
    return {
        "compounds": str(rows["compounds"]["_id"]),
        "drop-off-points": str(rows["drop_off_points"]["_id"]),
        "devices": str(rows["devices"]["_id"]),
        "users": str(rows["users"]["_id"]),
    }


def try_operation(operation: Any, checks: list[Any], token: str, real_id: str) -> set[int]:
    """Send good and bad requests to one operation; returns the statuses of its answers, raises what a check finds."""
    seen = set()
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, real=st.booleans())
    def try_one(case: Any, real: bool) -> None:
        if real and real_id:
            case.path_parameters |= {name: real_id for name in case.path_parameters or {} if name.endswith("id")}
        # The test client unpacks nothing.
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        seen.add(case.call_and_validate(headers=headers, checks=checks).status_code)

    try_one()
    return seen


@pytest.mark.parametrize("part", range(PARTS))
def test_no_input_finds_an_undocumented_answer(
    district: District, platform_app: Flask, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_app.extensions["qingxu-rates"], "allows", lambda *_: True)
    district.furnish(district.sign_in())
    known = ids_of(district)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", platform_app)
    schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
    schemathesis.checks.load_all_checks()
    checks = [schemathesis.checks.CHECKS.get_one(name) for name in CHECKS]
    tried: dict[str, set[int]] = {}
    faults = []
    for found in islice(schema.get_all_operations(), part, None, PARTS):
        operation = found.ok()
        # Each has a session of its own, which the operation before may have ended.
        token = district.sign_in("administrator", "").token
        try:
            tried[operation.label] = try_operation(
                operation, checks, token, known.get(operation.path.split("/")[3], "")
            )
        except (Exception, BaseExceptionGroup) as fault:
            faults.append(f"{operation.label}: {fault}")
    assert not faults, "\n".join(faults)
    assert {200, 404, 422} <= set().union(*tried.values())
    silent = {label for label, seen in tried.items() if seen <= {401, 404}}
    assert len(silent) < len(tried) / 3, silent


@pytest.mark.parametrize("path", ["/api/v1/compounds", "/api/v1/devices", "/api/v1/users", "/api/v1/evidence/captures"])
def test_mongo_operators_in_the_query_are_only_text(district: District, path: str) -> None:
    caller = district.sign_in("administrator", "")
    for query in ("q[$gt]=", "code[$ne]=x", "within[$gt]=", "cursor[$gt]=", "limit[$gt]=1", "$where=sleep(1000)"):
        answer = caller.call("GET", f"{path}?{query}")
        assert (answer.status_code, answer.json["code"]) == (422, "invalid"), (query, answer.text)


def test_big_and_deep_json_is_refused(district: District) -> None:
    caller = district.sign_in()
    json = {"content_type": "application/json"}
    big = caller.call("POST", "/api/v1/compounds", data=b'{"name": "' + b"x" * 10_000_000 + b'"}', **json)
    assert (big.status_code, big.json["code"]) == (413, "too_large")
    deep = caller.call("POST", "/api/v1/compounds", data=b'{"a":' * 5000 + b"1" + b"}" * 5000, **json)
    assert (deep.status_code, deep.json["code"]) == (400, "json_too_deep")
    assert database()["compounds"].count_documents({}) == 0
