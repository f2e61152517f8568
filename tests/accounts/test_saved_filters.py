"""A person's own searches: kept by name, seen by nobody else."""

from __future__ import annotations

from tests.district import EAST, District

ADDRESS = "/api/v1/saved-filters"


def test_a_search_is_kept_replaced_and_forgotten(district: District) -> None:
    staff, other = district.sign_in(), district.sign_in("street_staff", EAST)
    kept = staff.add("saved-filters", list="alerts", name="我的超期", query={"overdue": "true"})
    staff.add("saved-filters", list="alerts", name="我的超期", query={"overdue": "true", "severity": "4"})
    staff.add("saved-filters", list="compounds", name="全部", query={})
    assert [each["query"] for each in staff.get(ADDRESS, list="alerts")["items"]] == [
        {"overdue": "true", "severity": "4"}
    ]
    assert len(staff.get(ADDRESS)["items"]) == 2 and other.get(ADDRESS)["items"] == []
    [mine] = staff.get(ADDRESS, list="alerts")["items"]
    assert mine["id"] != kept["id"]
    assert other.call("DELETE", f"{ADDRESS}/{mine['id']}").status_code == 404
    assert staff.call("DELETE", f"{ADDRESS}/{mine['id']}").status_code == 204
    assert staff.get(ADDRESS, list="alerts")["items"] == []
    assert district.anyone("GET", ADDRESS).status_code == 401


def test_what_is_no_search_is_refused_and_a_hundred_are_enough(district: District) -> None:
    staff = district.sign_in()
    queries: tuple[object, ...] = ({"$where": "1"}, {"a": {"$gt": ""}}, [])
    for wrong in ({"list": "../x"}, {"name": ""}, *({"query": each} for each in queries)):
        body = {"list": "alerts", "name": "甲", "query": {}, **wrong}
        assert staff.call("POST", ADDRESS, json=body).status_code == 422, wrong
    for number in range(100):
        staff.add("saved-filters", list="alerts", name=f"筛选 {number}", query={})
    full = staff.call("POST", ADDRESS, json={"list": "alerts", "name": "再一个", "query": {}})
    assert (full.status_code, list(full.json["fields"])) == (422, ["name"])
    staff.add("saved-filters", list="alerts", name="筛选 7", query={"kind": "E02"})
