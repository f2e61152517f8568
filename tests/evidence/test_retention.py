"""Evidence is kept as long as its class says, longer under a legal hold, and then nobody can read it again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from bson import ObjectId
from pymongo.errors import ServerSelectionTimeoutError

from backend.blobs import BlobMissing, BlobShredded, get
from backend.protection import Actor
from backend.storage import database, utcnow
from plugins.evidence.captures.models import Capture
from plugins.evidence.cases.models import CASE_FLOW, Case
from plugins.evidence.retention import deletion
from plugins.evidence.retention.rules import classified
from tests.district import DISTRICT, District
from tests.evidence.conftest import Camera
from tests.vision import weights

MakeCase = Callable[..., Case]


@pytest.fixture
def make_case(camera: Camera) -> MakeCase:
    """Return a way to make a case of one capture, whose time ended so many days ago."""

    def make(number: str = "33-2026-000001", *, ended_days_ago: int = 1, photo: bytes | None = None) -> Case:
        sent = camera.send(photo or weights.six_people(), event_id=f"event of {number}")
        assert sent.status_code == 202, sent.text
        capture = Capture.objects.get(id=sent.json["id"])
        case = Case(
            area=capture.area,
            number=number,
            point=capture.point,
            point_name=capture.point_name,
            violation=capture.violation,
            captures=[capture.id],
            first_at=capture.device_time,
            last_at=capture.device_time,
            retention="lead",
            delete_after=utcnow() - timedelta(days=ended_days_ago),
        )
        CASE_FLOW.begin(case, actor=Actor(id="t", name="t", kind="system", address=""))
        case.save(force_insert=True)
        Capture.objects(id=capture.id).update(case=case.id)
        return case

    return make


def original(case: Case) -> str:
    return str(Capture.objects.get(id=case.captures[0]).photos[0].sha256)


def told(kind: str) -> list[dict]:
    entries = database()["evidence_ledger_waiting"].find({"kind": kind})
    return [*entries, *database()["evidence_ledger"].find({"kind": kind})]


def test_what_is_due_cannot_be_read_again_and_the_ledger_says_which_hashes_went(make_case: MakeCase) -> None:
    due, kept = make_case(), make_case("33-2026-000002", ended_days_ago=-1, photo=weights.astronaut())
    gone, stays = original(due), original(kept)
    assert deletion.delete_expired() == 1
    with pytest.raises(BlobShredded):
        get(gone, space=DISTRICT)
    assert get(stays, space=DISTRICT) == weights.astronaut()
    [entry] = told("shredded")
    assert (entry["case"], entry["detail"]) == (str(due.id), {"sha256": [gone], "class": "lead"})
    left = Case.objects.get(id=due.id)
    assert left.shredded_at is not None and left.number == due.number
    assert deletion.delete_expired() == 0 and len(told("shredded")) == 1


def test_a_hold_keeps_a_case_until_it_is_released(make_case: MakeCase, district: District) -> None:
    case = make_case()
    officer = district.sign_in("enforcement_officer")
    address = f"/api/v1/evidence/cases/{case.id}"

    def etag() -> str:
        return f"{case.id}-{Case.objects.get(id=case.id).version}"

    placed = officer.call("POST", f"{address}/holds", json={"reason": "行政复议期间保全"}, etag=etag())
    assert placed.status_code == 201, placed.text
    assert deletion.delete_expired() == 0
    assert [each["reason"] for each in officer.get(f"{address}/retention")["holds"]] == ["行政复议期间保全"]
    release = f"{address}/holds/{placed.json['id']}/release"
    assert officer.call("POST", release, json={"reason": "复议结束"}, etag="1" * 24 + "-1").status_code == 412
    assert officer.call("POST", release, json={"reason": "复议结束"}, etag=etag()).status_code == 204
    assert deletion.delete_expired() == 1
    late = officer.call("POST", f"{address}/holds", json={"reason": "来不及了"}, etag=etag())
    assert (late.status_code, late.json["code"]) == (410, "evidence_deleted")
    assert [len(told(kind)) for kind in ("held", "released", "shredded")] == [1, 1, 1]


def test_holds_are_placed_by_those_who_may_in_their_area(make_case: MakeCase, district: District) -> None:
    case = make_case()
    for person in (district.sign_in("community_staff"), district.sign_in("enforcement_officer", "33/332")):
        answer = person.call(
            "POST", f"/api/v1/evidence/cases/{case.id}/holds", json={"reason": "保全"}, etag=f"{case.id}-1"
        )
        assert answer.status_code in (403, 404)
    assert not told("held")


def test_what_another_case_still_needs_stays(make_case: MakeCase) -> None:
    due, other = make_case(), make_case("33-2026-000002", ended_days_ago=-1)
    assert original(due) == original(other)
    assert deletion.delete_expired() == 1
    assert get(original(other), space=DISTRICT) == weights.six_people()
    Case.objects(id=other.id).update(delete_after=utcnow() - timedelta(days=1))
    assert deletion.delete_expired() == 1
    with pytest.raises(BlobMissing):
        get(original(other), space=DISTRICT)


def test_a_capture_that_never_came_into_a_case_goes_after_its_days(camera: Camera) -> None:
    sent = camera.send(weights.astronaut())
    capture = ObjectId(sent.json["id"])
    assert deletion.delete_expired() == 0
    Capture.objects(id=capture).update(received_at=utcnow() - timedelta(days=31))
    assert deletion.delete_expired() == 1
    with pytest.raises(BlobShredded):
        get(sent.json["photos"][0], space=DISTRICT)


@pytest.mark.parametrize("dies_at", ["release_blobs", "note", "forget_person"])
def test_a_deletion_that_is_cut_short_is_finished_by_the_next_run(
    make_case: MakeCase, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    case = make_case()

    def die(*_: object, **__: object) -> None:
        raise ServerSelectionTimeoutError("away")

    with monkeypatch.context() as patch:
        patch.setattr(deletion, dies_at, die)
        with pytest.raises(ServerSelectionTimeoutError):
            deletion.delete_expired()
    assert Case.objects.get(id=case.id).shredded_at is None and not told("shredded")
    deletion.delete_expired()
    assert Case.objects.get(id=case.id).shredded_at is not None and len(told("shredded")) == 1


def test_a_case_in_judgement_is_never_due_and_each_end_has_its_days(district: District) -> None:
    now = utcnow()
    assert classified("waiting", penalty=True, at=now) == {"retention": "open", "delete_after": None}
    days = {
        state: (classified(state, penalty=penalty, at=now)["delete_after"] - now).days
        for state, penalty in (("rejected", False), ("confirmed", False), ("handed_over", True))
    }
    assert days == {"rejected": 90, "confirmed": 180, "handed_over": 1825}
    assert classified("confirmed", penalty=True, at=now)["retention"] == "penalty"
