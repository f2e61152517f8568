"""Users, grants, roles, areas, organisations and switches: who may do what, and that it counts at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from bson import ObjectId

from backend.identity import Organisation, Role, User, install_roles
from backend.storage import database
from tests.accounts.conftest import PASSWORD, PERMISSIONS, log_in

NEW = {"account": "neu", "name": "新人", "user_type": "community_staff", "area": "33/1/1"}


def etag_of(person, user: User) -> str:
    return person.call("GET", f"/api/v1/users/{user.id}").json["etag"]


def act(person, user: User, verb: str, method: str = "POST", json=None):
    return person.call(method, f"/api/v1/users/{user.id}/{verb}", json, etag=etag_of(person, user))


def test_an_account_is_made_found_and_changed(client, signed):
    admin = signed("admin", "administrator", "")
    made = admin.call("POST", "/api/v1/users", NEW | {"phone": "13800138000", "id_number": "360426199101010071"})
    assert made.status_code == 201
    assert made.json["phone"] == "138****8000" and "360426199101010071" not in made.text
    assert made.json["grants"] == [{"role": "community_staff", "area": "33/1/1", "organisation": None}]
    assert log_in(client, "neu", made.json["initial_password"]).json["must_change_password"] is True

    for query in ({"phone": "+86 138-0013-8000"}, {"id_number": "360426199101010071"}):
        found = admin.call("POST", "/api/v1/users/search", query).json["items"]
        assert [item["account"] for item in found] == ["neu"]
    assert admin.call("POST", "/api/v1/users/search", {"phone": "13800138001"}).json["items"] == []
    assert admin.call("POST", "/api/v1/users/search", {}).status_code == 422

    address = f"/api/v1/users/{made.json['id']}"
    assert admin.call("PATCH", address, {"name": "改名"}).status_code == 428
    changed = admin.call("PATCH", address, {"name": "改名"}, etag=made.json["etag"])
    assert (changed.status_code, changed.json["name"]) == (200, "改名")
    assert admin.call("PATCH", address, {"name": "又改"}, etag=made.json["etag"]).status_code == 412


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"phone": "12"}, "phone"),
        ({"id_number": "360426199101010072"}, "id_number"),
        ({"account": "有空格 的"}, "account"),
        ({"area": "33/9"}, "area"),
        ({"user_type": "emperor"}, "user_type"),
        ({"organisation": "6a2100000000000000000000"}, "organisation"),
        ({"user_type": "driver"}, "organisation"),
        ({"grants": [{"role": "no_such", "area": "33"}]}, "grants.0.role"),
        ({"grants": [{"role": "driver", "area": "99"}]}, "grants.0.area"),
        ({"password": "short"}, "password"),
    ],
)
def test_wrong_values_are_refused_by_field(signed, values, field):
    answer = signed("admin", "administrator", "").call("POST", "/api/v1/users", NEW | values)
    assert answer.status_code == 422
    assert field in answer.json["fields"]
    assert not User.objects(account="neu")


def test_an_account_name_is_taken_once(signed):
    admin = signed("admin", "administrator", "")
    codes = [admin.call("POST", "/api/v1/users", NEW | {"account": name}).status_code for name in ("neu", "NEU")]
    assert codes == [201, 409]


def test_contact_is_shown_in_full_to_the_permitted_alone_and_each_look_is_audited(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    made = street.call("POST", "/api/v1/users", NEW | {"phone": "13800138000"}).json
    assert street.call("GET", f"/api/v1/users/{made['id']}/contact").status_code == 403
    assert admin.call("GET", f"/api/v1/users/{made['id']}/contact").json["phone"] == "13800138000"
    looks = list(database()["audit_entries"].find({"action": "platform.user.reveal"}))
    assert [(look["subject_id"], look["actor"]["id"]) for look in looks] == [(made["id"], str(admin.user.id))]


def test_people_outside_of_ones_area_do_not_exist(signed):
    street, other = signed("street", "street_staff", "33/1"), signed("other", "community_staff", "33/10/1")
    assert street.call("GET", f"/api/v1/users/{other.user.id}").status_code == 404
    listed = street.call("GET", "/api/v1/users").json["items"]
    assert [item["account"] for item in listed] == ["street"]
    assert street.call("GET", "/api/v1/users?area=33/10").json["items"] == []
    assert street.call("POST", "/api/v1/users", NEW | {"area": "33/10/1"}).status_code == 403


def test_disabling_resetting_and_regranting_count_from_the_next_request(client, signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    assert street.call("GET", "/api/v1/users").status_code == 200

    grants = {"grants": [{"role": "resident", "area": "33/1"}]}
    assert act(admin, street.user, "grants", "PUT", grants).status_code == 200
    assert street.call("GET", "/api/v1/users").status_code == 403

    assert act(admin, street.user, "disable").json["active"] is False
    assert street.call("GET", "/api/v1/me").status_code == 401
    assert log_in(client, "street").json["code"] == "account_disabled"
    assert act(admin, street.user, "enable").status_code == 200
    assert street.call("GET", "/api/v1/me").status_code == 401
    assert log_in(client, "street").status_code == 201

    reset = act(admin, street.user, "reset-password").json
    assert log_in(client, "street").json["code"] == "wrong_credentials"
    assert log_in(client, "street", reset["initial_password"]).json["must_change_password"] is True
    assert "password" not in reset and "argon2" not in str(reset)


def test_an_administrator_ends_somebodys_session(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    listed = admin.call("GET", f"/api/v1/users/{street.user.id}/sessions").json["items"]
    assert len(listed) == 1
    assert admin.call("DELETE", f"/api/v1/users/{street.user.id}/sessions/{listed[0]['id']}").status_code == 204
    assert street.call("GET", "/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "grant",
    [
        {"role": "district_staff", "area": "33/1"},
        {"role": "enforcement_officer", "area": "33/1"},
        {"role": "street_staff", "area": "33"},
        {"role": "street_staff", "area": ""},
        {"role": "community_staff", "area": "33/10/1"},
        {"role": "administrator", "area": "33/1"},
    ],
)
def test_nobody_grants_what_he_does_not_hold(signed, grant):
    street, community = signed("street", "street_staff", "33/1"), signed("comm", "community_staff", "33/1/1")
    assert act(street, community.user, "grants", "PUT", {"grants": [grant]}).status_code == 403
    assert street.call("POST", "/api/v1/users", NEW | {"grants": [grant]}).status_code == 403
    assert User.objects.get(id=community.user.id).grants[0].role == "community_staff"


def test_nobody_takes_over_a_mightier_account(signed):
    street = signed("street", "street_staff", "33/1")
    mighty = signed("mighty", "district_staff", "33/1", organisation=None)
    for verb in ("reset-password", "disable"):
        assert act(street, mighty.user, verb).status_code == 403
    assert act(street, mighty.user, "grants", "PUT", {"grants": []}).status_code == 403
    address = f"/api/v1/users/{mighty.user.id}"
    assert street.call("PATCH", address, {"phone": "13800138000"}, etag=etag_of(street, mighty.user)).status_code == 403
    assert mighty.call("GET", "/api/v1/me").status_code == 200


def test_nobody_grants_to_or_disables_himself(signed):
    admin = signed("admin", "administrator", "")
    for verb, method, body in (("grants", "PUT", {"grants": []}), ("disable", "POST", None)):
        assert act(admin, admin.user, verb, method, body).status_code == 403


def test_two_changes_at_once_are_not_both_taken(app, signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    etag, address = etag_of(admin, street.user), f"/api/v1/users/{street.user.id}"

    def rename(number: int) -> int:
        return admin.call("PATCH", address, {"name": f"名{number}"}, etag=etag).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(rename, range(4))) == [200, 412, 412, 412]


def test_a_role_edit_counts_at_once_and_survives_the_next_start(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    roles = {role["name"]: role for role in admin.call("GET", "/api/v1/roles").json["items"]}
    role = roles["street_staff"]
    assert "platform:users" in role["permissions"]

    wanted = {"permissions": ["base_info:view", "base_info:change"]}
    changed = admin.call("PATCH", f"/api/v1/roles/{role['id']}", wanted, etag=role["etag"])
    assert changed.status_code == 200
    assert street.call("GET", "/api/v1/users").status_code == 403

    install_roles(PERMISSIONS)
    assert sorted(Role.objects.get(name="street_staff").permissions) == sorted(wanted["permissions"])
    assert admin.call("PATCH", f"/api/v1/roles/{role['id']}", wanted, etag=role["etag"]).status_code == 412


def test_roles_are_made_from_known_permissions_and_deleted_when_unused(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    new = {"name": "reader", "title": "只读", "permissions": ["base_info:view"]}
    assert admin.call("POST", "/api/v1/roles", new | {"permissions": ["no:such"]}).status_code == 422
    assert street.call("POST", "/api/v1/roles", new).status_code == 403
    made = admin.call("POST", "/api/v1/roles", new)
    assert made.status_code == 201
    assert admin.call("POST", "/api/v1/roles", new).json["code"] == "already_exists"

    assert act(admin, street.user, "grants", "PUT", {"grants": [{"role": "reader", "area": "33"}]}).status_code == 200
    address = f"/api/v1/roles/{made.json['id']}"
    assert admin.call("DELETE", address, etag=made.json["etag"]).json["code"] == "conflict"
    assert act(admin, street.user, "grants", "PUT", {"grants": []}).status_code == 200
    assert admin.call("DELETE", address, etag=made.json["etag"]).status_code == 204


def test_switching_a_module_off_empties_menu_and_scope_at_once(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")

    def menu() -> list[str]:
        return [entry["name"] for entry in street.call("GET", "/api/v1/me/menu").json["items"]]

    def switch(area: str, enabled: bool) -> int:
        body = {"module": "base_info", "area": area, "enabled": enabled}
        return admin.call("PUT", "/api/v1/module-switches", body).status_code

    assert menu() == ["base_info", "users"]
    assert switch("33", False) == 200
    assert menu() == ["users"]
    assert switch("33/1/1", True) == 200
    assert menu() == ["base_info", "users"]
    assert switch("33/1/1", False) == 200
    assert menu() == ["users"]
    for item in admin.call("GET", "/api/v1/module-switches").json["items"]:
        assert admin.call("DELETE", f"/api/v1/module-switches/{item['id']}").status_code == 204
    assert menu() == ["base_info", "users"]

    assert (
        admin.call("PUT", "/api/v1/module-switches", {"module": "platform", "area": "33", "enabled": False}).status_code
        == 422
    )
    assert (
        street.call(
            "PUT", "/api/v1/module-switches", {"module": "base_info", "area": "33/1", "enabled": False}
        ).status_code
        == 403
    )


def test_the_area_tree_is_read_and_extended(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    listed = street.call("GET", "/api/v1/areas?within=33/1").json["items"]
    assert [area["path"] for area in listed] == ["33/1", "33/1/1", "33/1/1/C1"]
    assert [area["name"] for area in street.call("GET", "/api/v1/areas?parent=33").json["items"]] == [
        "东街道",
        "西街道",
    ]

    square = [[120, 30], [120.1, 30], [120.1, 30.1], [120, 30]]
    new = {"parent": "33/10", "code": "2", "name": "三社区", "boundary": {"type": "Polygon", "coordinates": [square]}}
    assert street.call("POST", "/api/v1/areas", new).status_code == 403
    made = admin.call("POST", "/api/v1/areas", new)
    assert (made.status_code, made.json["path"], made.json["level"]) == (201, "33/10/2", "community")
    assert admin.call("POST", "/api/v1/areas", new).status_code == 409
    read = street.call("GET", "/api/v1/areas?within=33/10/2&boundary=true").json["items"]
    assert read[0]["boundary"]["coordinates"] == [square]
    changed = admin.call("PATCH", f"/api/v1/areas/{made.json['id']}", {"active": False}, etag=made.json["etag"])
    assert changed.json["active"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"boundary": {"type": "Polygon", "coordinates": [[[120, 30], [121, 30], [121, 31], [120, 31]]]}},
        {"boundary": {"type": "Polygon", "coordinates": [[[120, 300], [121, 30], [121, 31], [120, 300]]]}},
        {"boundary": {"type": "Polygon", "coordinates": ["x"]}},
        {"boundary": {"type": "Point", "coordinates": [120, 30]}},
        {"code": "a/b"},
        {"code": {"$gt": ""}},
        {"parent": "33/1/1/C1"},
    ],
)
def test_areas_that_cannot_be_are_refused(signed, change):
    new = {"parent": "33/10", "code": "2", "name": "三社区"} | change
    answer = signed("admin", "administrator", "").call("POST", "/api/v1/areas", new)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")


def test_organisations_are_kept_and_searched(signed):
    admin, district = signed("admin", "administrator", ""), signed("district", "district_staff", "33")
    new = {"kind": "property_company", "name": "好邻物业", "area": "33"}
    made = district.call("POST", "/api/v1/organisations", new)
    assert (made.status_code, made.json["kind_title"]) == (201, "物业企业")
    assert admin.call("POST", "/api/v1/organisations", new | {"area": "99"}).status_code == 422
    found = district.call("GET", "/api/v1/organisations?kind=property_company").json["items"]
    assert [item["name"] for item in found] == ["好邻物业"]
    address = f"/api/v1/organisations/{made.json['id']}"
    assert district.call("PATCH", address, {"name": "新物业"}, etag=made.json["etag"]).json["name"] == "新物业"


def test_company_people_are_bound_to_their_company(signed):
    company = Organisation(kind="collection_company", name="快运", area="33").save()
    admin = signed("admin", "administrator", "")
    made = admin.call("POST", "/api/v1/users", NEW | {"user_type": "driver", "organisation": str(company.id)}).json
    assert made["grants"] == [{"role": "driver", "area": "33/1/1", "organisation": str(company.id)}]


def test_what_administrators_do_is_audited_in_their_name(signed):
    admin, street = signed("admin", "administrator", ""), signed("street", "street_staff", "33/1")
    act(admin, street.user, "disable")
    entry = database()["audit_entries"].find_one({"action": "platform.user.disable"})
    assert entry["actor"]["id"] == str(admin.user.id)
    assert ObjectId(entry["subject_id"]) == street.user.id
    assert entry["area"] == "33/1"


def test_the_account_of_a_repeated_request_is_made_once(client, signed):
    admin = signed("admin", "administrator", "")
    headers = {"Authorization": f"Bearer {admin.tokens['access_token']}", "Idempotency-Key": "abcdefgh-1"}
    answers = [client.post("/api/v1/users", json=NEW, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json["initial_password"] == answers[1].json["initial_password"]
    assert User.objects(account="neu").count() == 1
    assert PASSWORD not in answers[0].text
