"""What makes a device's pictures evidence: kept in the register, handed on with the device."""

from __future__ import annotations

import hashlib
import io

import pytest

from backend.plugin_api import LegalFacts, find_device, find_place_near
from tests.district import EAST, WEST, District
from tests.vision import weights

LEGAL = {
    "review_document": "清法审〔2026〕12 号",
    "reviewed_on": "2026-03-01",
    "standard": "GB/T 28181-2022",
    "publication": "https://www.example.gov.cn/cameras",
}


def test_the_legal_record_is_kept_and_handed_on_with_the_photo_of_the_sign(district: District) -> None:
    staff = district.sign_in()
    device = district.furnish(staff)["camera"]
    address = f"/api/v1/devices/{device['id']}"
    assert staff.call("GET", f"{address}/sign-photo").status_code == 404
    changed = staff.call("PATCH", address, json=LEGAL, etag=device["etag"])
    assert {name: changed.json[name] for name in LEGAL} == LEGAL
    photo = weights.coffee()
    kept = staff.call(
        "POST", f"{address}/sign-photo", data={"photo": (io.BytesIO(photo), "a.jpg")}, etag=changed.json["etag"]
    )
    assert kept.status_code == 200 and kept.json["sign_photo"] == hashlib.sha256(photo).hexdigest()
    assert staff.call("GET", f"{address}/sign-photo").data == photo
    facts = find_device("D1")
    assert facts and facts.legal == LegalFacts(**LEGAL, sign_photo=kept.json["sign_photo"])


def test_a_sign_photo_is_a_photo_and_asks_for_the_right_to_edit(district: District) -> None:
    device = district.furnish(district.sign_in())["camera"]
    address = f"/api/v1/devices/{device['id']}/sign-photo"

    def send(area: str, content: bytes, etag: str = device["etag"]) -> int:
        files = {"photo": (io.BytesIO(content), "a.jpg")}
        return district.sign_in("street_staff", area).call("POST", address, data=files, etag=etag).status_code

    assert send(EAST, b"<html></html>") == 422
    assert send(WEST, weights.coffee()) == 404
    assert send(EAST, weights.coffee(), etag="") == 428
    assert send(EAST, weights.coffee()) == 200
    assert send(EAST, weights.coffee()) == 412
    supervisor = district.sign_in("supervisor", EAST)
    assert supervisor.call("POST", address, data={"photo": (io.BytesIO(b"x"), "a.jpg")}).status_code == 403
    assert supervisor.call("GET", address).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("reviewed_on", "2026-02-30x"), ("reviewed_on", "gestern"), ("publication", "javascript:alert")],
)
def test_a_day_is_a_day_and_a_link_leads_into_the_web(district: District, field: str, value: str) -> None:
    staff = district.sign_in()
    device = district.furnish(staff)["camera"]
    answer = staff.call("PATCH", f"/api/v1/devices/{device['id']}", json={field: value}, etag=device["etag"])
    assert (answer.status_code, list(answer.json["fields"])) == (422, [field])


def test_tables_take_the_legal_record_in_and_out(district: District) -> None:
    staff = district.sign_in()
    district.furnish(staff)
    head = "设备编码,设备名称,设备类型,所在投放点或集置点编码,法制审核文号,审核日期,执行标准,设置地点公布网址"
    line = f"D2,二号机,视频监控,T1,{LEGAL['review_document']},2026-03-01,{LEGAL['standard']},{LEGAL['publication']}"
    table = io.BytesIO(f"{head}\n{line}\n".encode("utf-8-sig"))
    done = staff.call("POST", "/api/v1/devices/import", data={"file": (table, "a.csv")}, query_string={"mode": "all"})
    assert done.status_code == 200 and done.json["added"] == 1, done.text
    facts = find_device("D2")
    assert facts and facts.legal == LegalFacts(**LEGAL)
    exported = staff.call("GET", "/api/v1/devices/export", query_string={"format": "csv"})
    assert LEGAL["review_document"] in exported.data.decode("utf-8-sig")


def test_the_nearest_point_in_use_is_found(district: District) -> None:
    staff = district.sign_in()
    point = district.furnish(staff)["point"]
    staff.add("stations", code="Z1", name="垃圾房", area_code="C1", longitude=120.1013, latitude=30.271)
    near, beside_the_station = find_place_near(120.1001, 30.271, 100), find_place_near(120.1012, 30.271, 100)
    assert near and (near.code, near.kind) == ("T1", "投放点")
    assert beside_the_station and (beside_the_station.code, beside_the_station.kind) == ("Z1", "集置点")
    assert find_place_near(120.1, 30.272, 100) is None
    staff.call("POST", f"/api/v1/drop-off-points/{point['id']}/disable", json={"reason": "已拆除"}, etag=point["etag"])
    assert find_place_near(120.1001, 30.271, 100) is None
