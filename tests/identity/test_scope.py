"""What the filter lets a person read is exactly what `require` lets him write, whatever the grants and switches."""

from __future__ import annotations

import pytest
from bson import ObjectId
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.identity import Forbidden, HeldGrant, ModuleOff, Principal, permitted, require, scope_filter
from backend.identity.scope import NOTHING, may_hand_on
from backend.storage import database

pytestmark = pytest.mark.usefixtures("store")

PERMISSION = "base_info:view"
COMPANIES = [ObjectId(), ObjectId()]

#: Codes of different lengths that begin alike: where ranges over text go wrong if anything does.
codes = st.sampled_from(["1", "10", "101", "1A", "2", "Z", "a"])
paths = st.lists(codes, min_size=1, max_size=4).map("/".join)
places = st.one_of(st.just(""), paths)
companies = st.sampled_from([None, *COMPANIES])
grants = st.lists(
    st.builds(
        HeldGrant,
        permissions=st.sampled_from([frozenset({PERMISSION}), frozenset(), frozenset({"base_info:change"})]),
        area=places,
        organisation=companies,
    ),
    max_size=4,
)
switches = st.dictionaries(places, st.booleans(), max_size=5)
records = st.lists(st.tuples(places, companies), min_size=1, max_size=12)


def person(grants: list[HeldGrant] | tuple[HeldGrant, ...], switches: dict[str, bool] | None = None) -> Principal:
    return Principal(
        id=ObjectId(), account="a", name="甲", user_type="street_staff", area="1", organisation=None,
        grants=tuple(grants), switches={"base_info": switches or {}},
    )  # fmt: skip


def lies_in(path: str, area: str) -> bool:
    return area == "" or path == area or path.startswith(area + "/")


def is_on(path: str, switches: dict[str, bool]) -> bool:
    above = [area for area in switches if lies_in(path, area)]
    return switches[max(above, key=len)] if above else True


def may(principal: Principal, area: str, company: ObjectId | None) -> bool:
    try:
        require(principal, PERMISSION, area, company)
    except (Forbidden, ModuleOff):
        return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grants=grants, switches=switches, records=records, within=places)
@example(grants=[HeldGrant(frozenset({PERMISSION}), "1")], switches={"1/1": False}, records=[("10", None)], within="")
def test_reads_and_writes_agree(grants, switches, records, within):
    principal = person(grants, switches)
    collection = database()["scope_test"]
    collection.delete_many({})
    collection.insert_many([{"area": area, "company": company} for area, company in records])

    query = scope_filter(principal, PERMISSION, within=within, organisation_field="company")
    without_company = scope_filter(principal, PERMISSION, within=within)
    read = sorted((row["area"], str(row["company"])) for row in collection.find(query))
    read_without = sorted(row["area"] for row in collection.find(without_company))

    # Said once more in the plainest words, as the measure of both.
    def expected(area: str, company: ObjectId | None) -> bool:
        held = any(
            PERMISSION in grant.permissions and lies_in(area, grant.area) and grant.organisation in (None, company)
            for grant in grants
        )
        return held and is_on(area, switches)

    assert [may(principal, *record) for record in records] == [expected(*record) for record in records]
    inside = [(area, company) for area, company in records if lies_in(area, within)]
    assert read == sorted((area, str(company)) for area, company in inside if may(principal, area, company))
    assert read_without == sorted(area for area, _ in inside if may(principal, area, None))
    if any(may(principal, *record) for record in records):
        assert permitted(principal, PERMISSION)


def test_nested_grants_become_one_range():
    holds = frozenset({PERMISSION})
    principal = person([HeldGrant(holds, "33/1"), HeldGrant(holds, "33"), HeldGrant(holds, "33/1/5", COMPANIES[0])])
    assert scope_filter(principal, PERMISSION, organisation_field="company") == {"area": {"$gte": "33", "$lt": "330"}}


def test_a_grant_on_everything_filters_nothing():
    assert scope_filter(person([HeldGrant(frozenset({PERMISSION}), "")]), PERMISSION) == {}


def test_no_grant_matches_nothing():
    assert scope_filter(person([]), PERMISSION) == NOTHING


def test_a_grant_for_one_company_gives_nothing_where_records_have_no_company():
    principal = person([HeldGrant(frozenset({PERMISSION}), "33", COMPANIES[0])])
    assert scope_filter(principal, PERMISSION) == NOTHING
    with pytest.raises(Forbidden):
        require(principal, PERMISSION, "33/1")


def test_a_switched_off_module_is_told_apart_from_a_missing_permission():
    principal = person([HeldGrant(frozenset({PERMISSION}), "33")], {"33/1": False})
    with pytest.raises(ModuleOff):
        require(principal, PERMISSION, "33/1/7")
    with pytest.raises(Forbidden):
        require(principal, PERMISSION, "34")
    require(principal, PERMISSION, "33/2")


def test_the_platform_itself_is_never_off():
    holder = person([HeldGrant(frozenset({"platform:users"}), "33")])
    off = Principal(**{**vars(holder), "switches": {"platform": {"": False}}})
    require(off, "platform:users", "33")


@settings(max_examples=200, deadline=None)
@given(grants=grants, area=places, company=companies, below=paths)
def test_what_is_handed_on_was_held(grants, area, company, below):
    giver = person(grants)
    if may_hand_on(giver, [PERMISSION], area, company):
        taker = person([HeldGrant(frozenset({PERMISSION}), area, company)])
        for place in (area, below, f"{area}/{below}" if area else below):
            for owner in (None, *COMPANIES):
                assert not may(taker, place, owner) or may(giver, place, owner)
