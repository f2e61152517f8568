"""What staff do with the registers, through the API."""

from __future__ import annotations

import pytest

from backend.protection import audit
from backend.storage import database
from tests.district import CAMERA, COMPOUND, DISTRICT, EAST, EAST_ONE, POINT, WEST, District, no_id

WRITTEN = {
    "property-companies": {"code": "P1", "name": "清和物业", "area_code": "33", "contact_phone": "0571-88001234"},
    "compounds": COMPOUND,
    "drop-off-points": POINT,
    "stations": {"code": "Z1", "name": "一社区垃圾房", "area_code": "33101", "longitude": 120.2, "latitude": 30.2},
    "devices": CAMERA,
}


def test_every_register_takes_shows_changes_disables_and_enables_a_record(district: District) -> None:
    staff = district.sign_in()
    for register, values in WRITTEN.items():
        added = staff.add(register, **values)
        address = f"/api/v1/{register}/{added['id']}"
        assert staff.get(address)["name"] == values["name"]
        changed = staff.call("PATCH", address, json={"name": "新名称"}, etag=added["etag"])
        assert changed.status_code == 200 and changed.json["name"] == "新名称"
        off = staff.call("POST", f"{address}/disable", json={"reason": "已拆除"}, etag=changed.json["etag"])
        assert off.status_code == 200 and off.json["active"] is False
        assert [row["id"] for row in staff.get(f"/api/v1/{register}", active="false")["items"]] == [added["id"]]
        on = staff.call("POST", f"{address}/enable", json={"reason": "恢复使用"}, etag=off.json["etag"])
        assert on.json["active"] is True
        history = staff.get(f"{address}/history")["items"]
        assert [entry["action"].rsplit(".", 1)[1] for entry in history] == ["enable", "disable", "change", "create"]
        assert history[2]["detail"]["name"] == [values["name"], "新名称"]


def test_a_record_lies_where_the_area_or_point_it_names_lies(district: District) -> None:
    made = district.furnish(district.sign_in())
    assert made["compound"]["area"] == f"{EAST_ONE}/C1"
    assert made["point"]["area"] == made["camera"]["area"] == f"{EAST_ONE}/C1"


def test_a_compound_that_moves_takes_along_what_lies_in_it(district: District) -> None:
    staff = district.sign_in()
    made = district.furnish(staff)
    address = f"/api/v1/compounds/{made['compound']['id']}"
    moved = staff.call("PATCH", address, json={"area_code": "33201"}, etag=made["compound"]["etag"])
    assert moved.json["area"] == "33/332/33201/C1"
    assert staff.get(f"/api/v1/devices/{made['camera']['id']}")["area"] == "33/332/33201/C1"
    west = district.sign_in("street_staff", WEST)
    assert len(west.get("/api/v1/drop-off-points")["items"]) == 1


def test_search_conditions_narrow_the_list(district: District) -> None:
    staff = district.sign_in()
    district.furnish(staff)
    staff.add("compounds", **{**COMPOUND, "code": "C2", "name": "翡翠雅苑 (二期)", "contact_phone": "13900001111"})

    def found(**query: str) -> list[str]:
        return sorted(row["code"] for row in staff.get("/api/v1/compounds", **query)["items"])

    assert found() == ["C1", "C2"]
    assert found(q="翡翠") == ["C2"]
    assert found(q="(二期)") == ["C2"]
    assert found(q=".*") == []
    assert found(contact_phone="138 1234 5678") == ["C1"]
    assert found(within=EAST) == ["C1", "C2"]
    assert found(within=WEST) == []
    assert [row["code"] for row in staff.get("/api/v1/devices", kind="camera", state="running")["items"]] == ["D1"]
    assert staff.get("/api/v1/devices", kind="scale")["items"] == []


def test_the_nearest_come_first_with_their_distance_in_metres(district: District) -> None:
    staff = district.sign_in()
    for number, longitude in enumerate((120.13, 120.11, 120.12), 1):
        staff.add("compounds", **{**COMPOUND, "code": f"C{number}", "longitude": longitude})
    items = staff.get("/api/v1/compounds/nearest", longitude=120.1, latitude=30.27, limit=2)["items"]
    assert [row["code"] for row in items] == ["C2", "C3"]
    # One hundredth of a degree of longitude at this latitude is 962 m.
    assert items[0]["distance"] == pytest.approx(962, rel=0.01)


def test_private_fields_are_masked_and_a_look_at_them_is_recorded(district: District) -> None:
    staff = district.sign_in()
    made = staff.add("compounds", **COMPOUND)
    assert made["contact_phone"] == "138****5678" and made["contact_name"] == "王*"
    stored = database()["compounds"].find_one({})
    assert stored is not None and b"13812345678" not in stored["contact_phone"]
    address = f"/api/v1/compounds/{made['id']}/reveal"
    assert staff.call("POST", address, json={"purpose": "x"}).status_code == 422
    shown = staff.call("POST", address, json={"purpose": "通知清运时间"})
    assert shown.json == {"contact_name": "王芳", "contact_phone": "13812345678"}
    entry = audit.history("base_info.compound", made["id"])[0]
    assert (entry.action, entry.detail["purpose"]) == ("base_info.compound.reveal", "通知清运时间")
    assert entry.actor.id == str(staff.user.id)
    supervisor = district.sign_in("supervisor", EAST_ONE)
    assert supervisor.call("POST", address, json={"purpose": "通知清运时间"}).status_code == 403


def test_the_history_never_holds_private_values(district: District) -> None:
    staff = district.sign_in()
    made = staff.add("compounds", **COMPOUND)
    address = f"/api/v1/compounds/{made['id']}"
    changes = {"contact_phone": "13987654321", "contact_name": "李四光"}
    assert staff.call("PATCH", address, json=changes, etag=made["etag"]).status_code == 200
    told = staff.call("GET", f"{address}/history").text
    for secret in ("13812345678", "13987654321", "王芳", "李四光"):
        assert secret not in told
    assert staff.call("POST", f"{address}/reveal", json={"purpose": "核对电话"}).json == changes


def test_a_street_sees_and_changes_its_own_area_only(district: District) -> None:
    made = district.furnish(district.sign_in())["compound"]
    west = district.sign_in("street_staff", WEST)
    assert west.get("/api/v1/compounds")["items"] == []
    address = f"/api/v1/compounds/{made['id']}"
    assert west.call("GET", address).status_code == 404
    assert west.call("PATCH", address, json={"name": "我的"}, etag=made["etag"]).status_code == 404
    refused = west.call("POST", "/api/v1/compounds", json={**COMPOUND, "code": "C9"})
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    east = district.sign_in("street_staff", EAST)
    assert [row["code"] for row in east.get("/api/v1/compounds")["items"]] == ["C1"]
    # Nobody moves a record out of his area, to where he could not follow it.
    assert east.call("PATCH", address, json={"area_code": "33201"}, etag=made["etag"]).status_code == 403


def test_property_staff_see_the_compounds_of_their_company_only(district: District) -> None:
    staff = district.sign_in()
    company = staff.add("property-companies", **WRITTEN["property-companies"])
    staff.add("compounds", **COMPOUND, property_company="P1")
    staff.add("compounds", **{**COMPOUND, "code": "C2"})
    worker = district.sign_in("property_staff", DISTRICT, organisation=company["id"])
    assert [row["code"] for row in worker.get("/api/v1/compounds")["items"]] == ["C1"]
    assert [row["code"] for row in worker.get("/api/v1/property-companies")["items"]] == ["P1"]


def test_a_switched_off_module_is_not_there(district: District) -> None:
    administrator = district.sign_in("administrator", "")
    made = district.furnish(district.sign_in())["compound"]
    switch = {"module": "base_info", "area": EAST, "enabled": False}
    assert administrator.call("PUT", "/api/v1/module-switches", json=switch).status_code in (200, 201)
    east = district.sign_in("street_staff", EAST)
    answer = east.call("GET", "/api/v1/compounds")
    assert (answer.status_code, answer.json["code"]) == (404, "module_off")
    assert "base_info.cockpit" not in {entry["name"] for entry in east.get("/api/v1/me/menu")["items"]}
    assert district.sign_in().call("GET", f"/api/v1/compounds/{made['id']}").status_code == 404
    assert district.sign_in("street_staff", WEST).get("/api/v1/compounds")["items"] == []


def test_a_change_needs_the_version_that_was_seen(district: District) -> None:
    staff = district.sign_in()
    made = staff.add("compounds", **COMPOUND)
    address = f"/api/v1/compounds/{made['id']}"
    missing = staff.call("PATCH", address, json={"name": "甲"})
    assert (missing.status_code, missing.json["code"]) == (428, "precondition_required")
    assert staff.call("PATCH", address, json={"name": "甲"}, etag=made["etag"]).status_code == 200
    stale = staff.call("PATCH", address, json={"name": "乙"}, etag=made["etag"])
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    assert staff.get(address)["name"] == "甲"
    unchanged = staff.call("GET", address, headers={"If-None-Match": staff.call("GET", address).headers["ETag"]})
    assert unchanged.status_code == 304


def test_a_repeated_post_adds_one_record(district: District) -> None:
    staff = district.sign_in()
    headers = {"Idempotency-Key": "phone-1-try-1"}
    first = staff.call("POST", "/api/v1/compounds", json=COMPOUND, headers=headers)
    again = staff.call("POST", "/api/v1/compounds", json=COMPOUND, headers=headers)
    assert first.status_code == again.status_code == 201 and first.json == again.json
    other = staff.call("POST", "/api/v1/compounds", json={**COMPOUND, "code": "C2"}, headers=headers)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert database()["compounds"].count_documents({}) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": "C 1"}, "code"),
        ({"code": {"$gt": ""}}, "code"),
        ({"name": ""}, "name"),
        ({"name": {"$gt": ""}}, "name"),
        ({"area_code": "99999"}, "area_code"),
        ({"area_code": "331"}, "area_code"),
        ({"longitude": 181}, "longitude"),
        ({"longitude": None}, "longitude"),
        ({"households": -1}, "households"),
        ({"households": "many"}, "households"),
        ({"contact_phone": "12345"}, "contact_phone"),
        ({"contact_phone": "138****5678"}, "contact_phone"),
        ({"property_company": "P404"}, "property_company"),
        ({"unknown": 1}, "unknown"),
        ({"active": False}, "active"),
    ],
)
def test_bad_values_are_named_and_nothing_is_written(district: District, change: dict, field: str) -> None:
    staff = district.sign_in()
    answer = staff.call("POST", "/api/v1/compounds", json={**COMPOUND, **change})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert field in answer.json["fields"]
    assert any("\u4e00" <= sign <= "\u9fff" for sign in "".join(answer.json["fields"][field]))
    assert database()["compounds"].count_documents({}) == 0
    assert database()["areas"].count_documents({"level": "compound"}) == 0


def test_a_taken_code_and_a_missing_record_are_told(district: District) -> None:
    staff = district.sign_in()
    staff.add("compounds", **COMPOUND)
    answer = staff.call("POST", "/api/v1/compounds", json={**COMPOUND, "name": "另一个"})
    assert (answer.status_code, answer.json["code"]) == (409, "duplicate")
    assert staff.call("GET", f"/api/v1/compounds/{no_id()}").status_code == 404
    assert staff.call("GET", "/api/v1/compounds/not-an-id").status_code == 404


def test_a_device_gets_a_new_key_that_is_shown_once(district: District) -> None:
    staff = district.sign_in()
    camera = district.furnish(staff)["camera"]
    answer = staff.call("POST", f"/api/v1/devices/{camera['id']}/signing-key", etag=camera["etag"])
    assert answer.status_code == 200 and len(answer.json["signing_key"]) == 64
    key = answer.json["signing_key"]
    assert key not in staff.call("GET", f"/api/v1/devices/{camera['id']}").text
    assert key not in staff.call("GET", f"/api/v1/devices/{camera['id']}/history").text
