"""Faces are compared only where an administrator has stated why that is lawful, and cases are named, never people."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL import Image, ImageOps

from backend.storage import database, utcnow
from plugins.evidence.matching import health
from plugins.evidence.matching.activation import end_expired
from plugins.evidence.matching.comparing import vectors_of
from plugins.evidence.matching.models import Template
from tests.cases.conftest import CASES, Ground, noted
from tests.district import DISTRICT, EAST, WEST
from tests.evidence.conftest import work
from tests.vision import weights

SWITCH = "/api/v1/evidence/face-matching"


def basis(area: str = EAST, **changes: Any) -> dict[str, Any]:
    """Return what an administrator has to state."""
    told = {
        "area": area,
        "legal_basis": "《某某条例》第十二条",
        "assessment_number": "PIA-2026-017",
        "expires_at": (datetime.now(UTC) + timedelta(days=90)).isoformat(),
        **changes,
    }
    return {name: value for name, value in told.items() if value is not None}


def mirrored(photo: bytes) -> bytes:
    """Return another photo of the same person."""
    made = io.BytesIO()
    ImageOps.mirror(Image.open(io.BytesIO(photo)).convert("RGB")).save(made, "JPEG", quality=90)
    return made.getvalue()


def penalised(ground: Ground, minute: float, photo: bytes) -> dict[str, Any]:
    """Bring a case through both pairs of eyes and let the workers do what follows; returns it as it is then."""
    case = ground.choose(ground.case(minute, photo=photo))
    work("vision")
    fresh = ground.reviewer.get(f"{CASES}/{case['id']}")
    proposed = ground.decide(ground.reviewer, fresh, "propose_penalty")
    assert proposed.status_code == 200, proposed.text
    signed = ground.decide(ground.countersigner, proposed.json, "countersign")
    assert signed.status_code == 200, signed.text
    work("vision")
    return dict(database()["evidence_cases"].find_one({"number": case["number"]}) or {})


@pytest.fixture
def administrator(ground: Ground) -> Any:
    """Sign in whoever may switch comparison on."""
    return ground.district.sign_in("administrator", "")


def test_no_face_is_kept_while_comparison_is_off(ground: Ground) -> None:
    penalised(ground, 0, weights.astronaut())
    assert database()["evidence_face_templates"].count_documents({}) == 0
    assert noted("compared") == []


def test_the_same_person_is_named_as_a_possible_repeat_by_case_number_alone(ground: Ground, administrator: Any) -> None:
    assert administrator.call("POST", SWITCH, json=basis()).status_code == 201
    first = penalised(ground, 0, weights.astronaut())
    other = penalised(ground, 40, weights.one_player())
    again = penalised(ground, 80, mirrored(weights.astronaut()))
    assert first["repeats"] == [] and other["repeats"] == []
    [repeat] = again["repeats"]
    assert (repeat["number"], set(repeat)) == (first["number"], {"case", "number", "likeness"})
    assert repeat["likeness"] > 0.8
    assert [entry["detail"]["possible_repeats"] for entry in noted("compared")] == [0, 0, 1]
    rows = list(database()["evidence_face_templates"].find())
    assert len(rows) == 3 and vectors_of(rows).shape == (3, 512)
    # What the store holds is not the face: without the key it is noise.
    assert all(isinstance(row["vector"], bytes) for row in rows)


def test_nothing_is_switched_on_without_its_basis_or_by_anybody_else(ground: Ground, administrator: Any) -> None:
    for lacking in ("legal_basis", "assessment_number", "expires_at"):
        refused = administrator.call("POST", SWITCH, json=basis(**{lacking: None}))
        assert (refused.status_code, lacking in refused.json["fields"]) == (422, True)
    past = administrator.call("POST", SWITCH, json=basis(expires_at="2026-01-01T00:00:00Z"))
    assert (past.status_code, "expires_at" in past.json["fields"]) == (422, True)
    for person in (ground.reviewer, ground.countersigner):
        assert person.call("POST", SWITCH, json=basis()).status_code == 403
    assert administrator.call("POST", SWITCH, json=basis(DISTRICT)).status_code == 201
    within = administrator.call("POST", SWITCH, json=basis(EAST))
    assert (within.status_code, within.json["code"]) == (409, "matching_on")
    assert len(noted("matching_on")) == 1


def test_it_counts_only_inside_its_area(ground: Ground, administrator: Any) -> None:
    assert administrator.call("POST", SWITCH, json=basis(WEST)).status_code == 201
    penalised(ground, 0, weights.astronaut())
    assert database()["evidence_face_templates"].count_documents({}) == 0


@pytest.mark.parametrize("how", ["by hand", "by its day"])
def test_switched_off_all_templates_are_gone_at_once(ground: Ground, administrator: Any, how: str) -> None:
    switched = administrator.call("POST", SWITCH, json=basis()).json
    penalised(ground, 0, weights.astronaut())
    assert administrator.get(SWITCH)["items"][0]["templates"] == 1
    if how == "by hand":
        assert administrator.call("DELETE", f"{SWITCH}/{switched['id']}").status_code == 204
    else:
        database()["evidence_face_activations"].update_one({}, {"$set": {"expires_at": utcnow() - timedelta(hours=1)}})
        end_expired()
    assert database()["evidence_face_templates"].count_documents({}) == 0
    [entry] = noted("matching_off")
    assert entry["detail"] == {"templates": 1}
    penalised(ground, 40, mirrored(weights.astronaut()))
    assert database()["evidence_face_templates"].count_documents({}) == 0


def test_a_case_that_turned_out_to_be_none_loses_its_template(ground: Ground, administrator: Any) -> None:
    administrator.call("POST", SWITCH, json=basis())
    case = penalised(ground, 0, weights.astronaut())
    address = f"{CASES}/{case['_id']}"
    reopened = ground.decide(ground.reviewer, ground.reviewer.get(address), "reopen", reason="认错人")
    assert ground.decide(ground.reviewer, reopened.json, "reject", reason="认错人").status_code == 200
    work("default")
    assert database()["evidence_face_templates"].count_documents({}) == 0


def test_the_health_page_warns_long_before_the_number_that_the_law_names(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter((3, 80_000, 100_000))
    collection = Template._get_collection()
    monkeypatch.setattr(type(collection), "estimated_document_count", lambda _: next(counts))
    assert [health.few_enough().state for _ in range(3)] == ["ok", "warn", "fail"]
