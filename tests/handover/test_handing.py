"""A case is handed over, its package is made in the background, fetched with a purpose, verified, and received."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from backend.blobs import remove_unreferenced
from backend.plugin_api import Event, utcnow
from backend.protection import audit
from backend.storage import database
from plugins.evidence.captures.models import Capture
from plugins.evidence.cases.models import Case
from plugins.evidence.custody.ledger import chain
from plugins.evidence.handover import making
from plugins.evidence.handover.handing import receipt_bytes
from plugins.evidence.handover.models import HandOver
from tests.handover.conftest import SPACE, Ground, work
from tests.handover.small import check


def noted(kind: str) -> list[dict[str, object]]:
    """Return the ledger's entries of a kind."""
    chain(SPACE)
    return list(database()["evidence_ledger"].find({"kind": kind}))


def test_a_case_goes_out_as_a_package_that_verifies_and_comes_back_as_a_receipt(ground: Ground) -> None:
    answer = ground.hand_over()
    assert (answer.status_code, answer.json["state"]) == (202, "making"), answer.text
    assert Case.objects.get(id=ground.case.id).state == "handed_over"
    address = f"/api/v1/evidence/hand-overs/{answer.json['id']}"
    early = ground.officer.call("GET", f"{address}/package", query_string={"purpose": "立案"})
    assert (early.status_code, early.json["code"]) == (409, "package_not_ready")
    work()
    made = ground.officer.get(address)
    assert made["state"] == "made" and made["package"]["files"] == 15
    content = ground.download(answer.json["id"])
    assert hashlib.sha256(content).hexdigest() == made["package"]["sha256"]
    report = check(content, made["package"]["fingerprint"])
    assert report.findings == [] and report.facts["stamps"] and report.facts["proofs"] == report.facts["entries"] > 2
    given = ground.officer.call(
        "POST",
        f"{address}/receipt",
        json={"unit": "甲区综合行政执法局", "note": "已核验"},
        etag=ground.officer.get(address)["etag"],
    )
    assert (given.status_code, given.json["state"]) == (201, "received"), given.text
    record = ground.of_case()
    assert record.receipt.hash == hashlib.sha256(receipt_bytes(record, record.receipt)).hexdigest()
    assert Case.objects.get(id=ground.case.id).state == "received"
    assert noted("receipted")[0]["sha256"] == record.receipt.hash
    assert [entry["purpose"] for entry in noted("downloaded")] == ["立案"]
    assert noted("exported")[0]["sha256"] == made["package"]["sha256"]
    assert noted("handed_over")[0]["detail"]["recipient"] == "甲区综合行政执法局"
    actions = {entry.action for entry in audit.history("evidence.hand_over", str(record.id))}
    assert actions == {f"evidence.hand_over.{verb}" for verb in ("begin", "make", "reveal", "receive")}


def test_the_package_holds_all_originals_and_no_cut_out_of_a_bystander(ground: Ground) -> None:
    files = zipfile.ZipFile(io.BytesIO(ground.package()))
    assert files.testzip() is None
    names = [name for name in files.namelist() if name.startswith(("originals", "exhibits"))]
    assert names == [
        "originals/c01-p01.jpg",
        "originals/c01-p02.jpg",
        "exhibits/c01-p01-subject-copy1.jpg",
        "exhibits/c01-p01-masked-copy1.jpg",
        "exhibits/c01-p01-face0.jpg",
        "exhibits/c01-p01-object1.jpg",
    ]
    capture = Capture.objects.get(id=ground.case.captures[0])
    assert [hashlib.sha256(files.read(name)).hexdigest() for name in names[:2]] == [
        photo.sha256 for photo in capture.photos
    ]
    manifest = json.loads(files.read("manifest.json"))
    assert ground.bystander not in {each["sha256"] for each in manifest["files"]}
    face = next(each for each in manifest["files"] if each.get("kind") == "face")
    assert (face["derived_from"], face["made_by"]["model"]) == ("originals/c01-p01.jpg", "scrfd")
    assert manifest["captures"][0]["legal"]["review_document"] == "法审〔2026〕8 号"
    assert files.read("报告.pdf").startswith(b"%PDF") and "verify_evidence.py" in files.read("说明.txt").decode()


def test_of_a_resident_the_package_says_neither_who_nor_from_where(ground: Ground) -> None:
    Capture.objects(id=ground.case.captures[0]).update(set__source="resident")
    answer = ground.hand_over("lead")
    work()
    files = zipfile.ZipFile(io.BytesIO(ground.download(answer.json["id"])))
    manifest = json.loads(files.read("manifest.json"))
    assert [manifest["captures"][0][name] for name in ("sender", "source_address", "device_name")] == ["", "", ""]


@pytest.mark.parametrize("lacks", ["second person", "legal record"])
def test_what_is_missing_for_a_penalty_is_said_and_the_case_can_go_as_a_lead(ground: Ground, lacks: str) -> None:
    if lacks == "second person":
        same = [each.to_mongo() | {"by": "u1"} for each in ground.case.decisions]
        database()["evidence_cases"].update_one({}, {"$set": {"decisions": same}})
    else:
        database()["evidence_captures"].update_one({}, {"$unset": {"legal.sign_photo": ""}})
    refused = ground.hand_over()
    assert (refused.status_code, refused.json["code"]) == (422, "not_penalty_evidence")
    [sentence] = refused.json["fields"]["kind"]
    assert ("会签" if lacks == "second person" else "标识照片") in sentence
    assert HandOver.objects.count() == 0 and Case.objects.get(id=ground.case.id).state == "confirmed"
    answer = ground.hand_over("lead")
    assert (answer.status_code, answer.json["missing"]) == (202, [sentence])


def test_nobody_without_the_right_hands_over_fetches_or_receives(ground: Ground) -> None:
    street = ground.district.sign_in("street_staff", "33/331")
    elsewhere = ground.district.sign_in("enforcement_officer", "33/332")
    body = {"kind": "lead", "purpose": "移送", "recipient": "执法局"}
    address = f"/api/v1/evidence/cases/{ground.case.id}/hand-over"
    assert street.call("POST", address, json=body, etag="x").status_code == 403
    assert elsewhere.call("POST", address, json=body, etag="x").status_code == 404
    assert ground.staff.call("POST", address, json=body).status_code == 428
    assert ground.staff.call("POST", address, json=body, etag="x-1").status_code == 412
    id = ground.hand_over().json["id"]
    work()
    package = f"/api/v1/evidence/hand-overs/{id}/package"
    assert street.call("GET", package, query_string={"purpose": "看看"}).status_code == 404
    assert elsewhere.call("GET", package, query_string={"purpose": "看看"}).status_code == 404
    unasked = ground.officer.call("GET", package)
    assert (unasked.status_code, unasked.json["code"]) == (422, "purpose_required")
    assert noted("downloaded") == []
    etag = ground.staff.get(f"/api/v1/evidence/hand-overs/{id}")["etag"]
    receipt = {"json": {"unit": "执法局"}, "etag": etag}
    assert ground.staff.call("POST", f"/api/v1/evidence/hand-overs/{id}/receipt", **receipt).status_code == 403
    assert elsewhere.get("/api/v1/evidence/hand-overs")["items"] == []
    assert [each["id"] for each in street.get("/api/v1/evidence/hand-overs", state="made")["items"]] == [id]


def test_a_case_goes_out_once(ground: Ground) -> None:
    assert ground.hand_over().status_code == 202
    again = ground.hand_over()
    assert (again.status_code, again.json["code"]) == (409, "conflict")
    assert HandOver.objects.count() == 1


def test_a_worker_killed_after_writing_leaves_one_package(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = ground.hand_over()

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(making, "settle", die)
    wanted = {"hand_over": answer.json["id"]}
    event = Event(id="1", name="evidence.package_wanted", area="", occurred_at=utcnow(), payload=wanted)
    with pytest.raises(SystemExit):
        making.make_package(event)
    monkeypatch.undo()
    [left] = packages()
    assert ground.of_case().state == "making"
    # Another entry is another ledger extract, and with it another package.
    ground.officer.get(f"/api/v1/evidence/cases/{ground.case.id}")
    work()
    record = ground.of_case()
    assert record.state == "made" and record.package.sha256 != left
    remove_unreferenced(older_than_seconds=-1)
    assert packages() == [record.package.sha256]
    assert check(ground.download(answer.json["id"]), record.package.fingerprint).findings == []
    assert len(noted("exported")) == 1


def packages() -> list[str]:
    """Return the hashes of the packages in the store."""
    kept = database()["blobs"].find({"media_type": "application/zip", "object": {"$ne": None}})
    return [each["sha256"] for each in kept]


def test_an_original_that_is_not_what_came_in_stops_the_package_and_says_so(ground: Ground) -> None:
    answer = ground.hand_over()
    right = Capture.objects.get(id=ground.case.captures[0]).photos[0].sm3
    captures = database()["evidence_captures"]
    captures.update_one({}, {"$set": {"photos.0.sm3": "0" * 64}})
    work()
    address = f"/api/v1/evidence/hand-overs/{answer.json['id']}"
    failed = ground.staff.get(address)
    assert failed["state"] == "failed" and "照片 1的内容与收取时登记的哈希值不符" in failed["failure"]
    captures.update_one({}, {"$set": {"photos.0.sm3": right}})
    assert ground.staff.call("POST", f"{address}/retry", etag=failed["etag"]).status_code == 202
    work()
    assert ground.staff.get(address)["state"] == "made"
