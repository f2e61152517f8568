"""Those who may read the audit trail find in it what happened in their areas."""

from __future__ import annotations

from tests.district import COMPOUND, EAST, District


def test_the_trail_is_found_by_subject_actor_and_area_and_only_where_one_may(district: District) -> None:
    staff = district.sign_in()
    made = staff.add("compounds", **COMPOUND)
    administrator = district.sign_in("administrator", "")

    def found(**query: str) -> list[str]:
        return [row["action"] for row in administrator.get("/api/v1/audit-entries", **query)["items"]]

    assert found(subject_id=made["id"]) == ["base_info.compound.create"]
    assert found(actor=str(staff.user.id), within=EAST) == ["base_info.compound.create"]
    assert found(actor=str(staff.user.id), within="33/332") == []
    assert found(subject="base_info.compound", until="2026-01-01T00:00:00Z") == []
    refused = staff.call("GET", "/api/v1/audit-entries")
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")


def test_leaving_a_page_ends_the_session(district: District) -> None:
    district.sign_in()
    page = district.app.test_client()
    page.post("/api/v1/sessions", json={"account": "person1", "password": "Gute-Nacht-2026", "cookie": True})
    assert page.get("/account").status_code == 200
    foreign = page.post("/logout", headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403 and page.get("/account").status_code == 200
    left = page.post("/logout")
    assert (left.status_code, left.headers["Location"]) == (303, "/login")
    assert page.get("/account").headers["Location"].startswith("/login")
