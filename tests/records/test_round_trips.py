"""Round trips to the store: a request makes the same ones however long its list is and however much is stored.

The numbers are what was measured, as upper bounds: whoever adds a trip meets them here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, groupby
from typing import Any

import pytest
from bson import ObjectId
from pymongo.monitoring import CommandListener, CommandStartedEvent

from backend import rollups, storage
from backend.identity import User, scope_filter
from backend.identity.resolving import principal_of
from backend.plugin_api import registry
from backend.plugin_api.maps import MapLayer
from backend.plugin_api.panels import Panel, View
from backend.protection import audit
from backend.records import tabular
from tests.district import COMPOUND, DISTRICT, EAST_ONE, Caller, District

FEW, MANY = range(10), range(10, 1000)
#: Who asks, found with all that he or she holds.
PERSON = "aggregate sessions"


class Trips(CommandListener):
    """What goes to the store, a line each: the command and its collection."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        """Note a command; the end of a transaction is one like others."""
        target = event.command[event.command_name]
        self.sent.append(f"{event.command_name} {target}" if isinstance(target, str) else event.command_name)

    def succeeded(self, event: Any) -> None:
        """Do nothing."""

    def failed(self, event: Any) -> None:
        """Do nothing."""

    def of(self, work: Callable[[], Any]) -> list[str]:
        """Return the trips of `work` when what is kept between requests is there already."""
        work()
        self.sent.clear()
        work()
        return self.sent[:]


@pytest.fixture
def trips(district: District) -> Iterator[Trips]:
    """Watch the connection of this process."""
    address, trips = (district.settings.mongodb_url, district.settings.mongodb_database), Trips()
    storage.disconnect()
    storage.connect(*address, event_listeners=[trips])
    yield trips
    storage.disconnect()
    storage.connect(*address)


def send(by: Caller, register: str, header: str, lines: list[str]) -> None:
    data = {"file": (io.BytesIO("\n".join([header, *lines]).encode()), "表.csv")}
    answer = by.call("POST", f"/api/v1/{register}/import?mode=all", data=data)
    assert answer.status_code == 200 and answer.json["added"] == len(lines), answer.text


def add_compounds(by: Caller, numbers: range) -> None:
    header = "小区编码,小区名称,所属社区编码,经度,纬度,联系电话"
    send(by, "compounds", header, [f"C{n:05d},小区{n},{33101 + n % 2},120.1,30.2,139{n:08d}" for n in numbers])


def add_points(by: Caller, numbers: range) -> None:
    header = "投放点编码,投放点名称,所属小区编码,经度,纬度,联系电话"
    send(by, "drop-off-points", header, [f"T{n:05d},投放点{n},C{n:05d},120.1,30.2,139{n:08d}" for n in numbers])


def add_devices(by: Caller, numbers: range) -> None:
    """Add each at a point of its own, in a compound of its own."""
    add_compounds(by, numbers)
    add_points(by, numbers)
    header = "设备编码,设备名称,设备类型,运行状态,所在投放点或集置点编码,经度,纬度,联系电话"
    lines = [f"D{n:05d},设备{n},视频监控,故障,T{n:05d},120.1,30.2,139{n:08d}" for n in numbers]
    send(by, "devices", header, lines)


def add_users(_: Caller, numbers: range) -> None:
    grants = [{"role": "community_staff", "area": EAST_ONE}]
    same: dict[str, Any] = {"name": "测试", "user_type": "community_staff", "area": EAST_ONE, "password": "none"}
    users = [User(account=f"someone{n}", phone=f"139{n:08d}", grants=grants, **same) for n in numbers]
    storage.database()["users"].insert_many([user.to_mongo() for user in users])


def add_entries(_: Caller, numbers: range) -> None:
    for n in numbers:
        audit.record("base_info.compound.change", subject="base_info.compound", subject_id=str(n), area=EAST_ONE)


def add_captures(_: Caller, numbers: range) -> None:
    now = storage.utcnow()
    same = {"area": EAST_ONE, "version": 1, "device": "D1", "device_name": "设备", "point": "T1", "point_name": "点位"}
    same |= {"violation": "overflow", "state": "extracted", "device_time": now, "received_at": now, "clock_offset": 0.0}
    same |= {"source": "device", "place": {"type": "Point", "coordinates": [120.1, 30.2]}, "photos": []}
    storage.database()["evidence_captures"].insert_many(
        [{"_id": ObjectId(), "event_id": f"event-{n}", **same} for n in numbers]
    )
    storage.atomically(lambda: rollups.mark_dirty("evidence.captures", EAST_ONE, now))


LISTS = {
    "compounds": (add_compounds, {"q": "小区", "within": DISTRICT}),
    "devices": (add_devices, {"kind": "camera", "within": DISTRICT}),
    "users": (add_users, {"user_type": "community_staff", "area": DISTRICT}),
    "audit-entries": (add_entries, {"action": "base_info.compound.change", "within": DISTRICT}),
    "evidence/captures": (add_captures, {"violation": "overflow", "within": DISTRICT}),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_one_trip_and_its_count_another(district: District, trips: Trips, name: str) -> None:
    administrator, address = district.sign_in("administrator", ""), f"/api/v1/{name}"
    add, conditions = LISTS[name]

    def listed(limit: int, **query: Any) -> list[str]:
        pages: list[Any] = []
        made = trips.of(lambda: pages.append(administrator.get(address, limit=limit, **query)))
        assert len(pages[-1]["items"]) == limit
        return made

    add(administrator, FEW)
    alone, counted = listed(1), listed(1, count="true")
    assert (alone[0], len(alone)) == (PERSON, 2)
    assert (counted[:2], len(counted)) == (alone, 3)
    add(administrator, MANY)
    for limit in (1, 100):
        assert listed(limit) == listed(limit, **conditions) == alone
        assert listed(limit, count="true", **conditions) == counted
        assert listed(limit, cursor=administrator.get(address, limit=limit)["next_cursor"]) == alone


def test_the_longest_list_is_one_trip_too(district: District, trips: Trips) -> None:
    staff = district.sign_in()
    add_compounds(staff, MANY)
    assert trips.of(lambda: staff.get("/api/v1/compounds", limit=200)) == [PERSON, "find compounds"]


def test_a_new_record_takes_the_same_trips_in_a_small_and_in_a_large_register(district: District, trips: Trips) -> None:
    staff, numbers = district.sign_in(), count(1)

    def added() -> tuple[list[str], list[str]]:
        device = {"name": "设备", "kind": "camera", "point": "T00001"}
        return (
            trips.of(lambda: staff.add("compounds", **{**COMPOUND, "code": f"N{next(numbers)}"})),
            trips.of(lambda: staff.add("devices", **device, code=f"N{next(numbers)}")),
        )

    add_devices(staff, FEW)
    compound, device = added()
    # The person, what the record refers to, all writes in one message, their commit.
    assert len(compound) <= 4, compound
    assert len(device) <= 6, device
    assert compound[-1] == device[-1] == "commitTransaction"
    add_devices(staff, MANY)
    assert added() == (compound, device)


def test_a_change_takes_the_same_trips_in_a_small_and_in_a_large_register(district: District, trips: Trips) -> None:
    staff, numbers = district.sign_in(), count(1)
    add_compounds(staff, FEW)
    record = staff.get("/api/v1/compounds", limit=1)["items"][0]

    def change() -> None:
        values = {"households": next(numbers)}
        answer = staff.call("PATCH", f"/api/v1/compounds/{record['id']}", json=values, etag=record["etag"])
        assert answer.status_code == 200, answer.text
        record["etag"] = answer.json["etag"]

    few = trips.of(change)
    assert len(few) <= 6, few
    add_compounds(staff, MANY)
    assert trips.of(change) == few


def test_an_import_takes_the_same_trips_for_two_rows_and_for_a_whole_portion(district: District, trips: Trips) -> None:
    staff, numbers = district.sign_in(), count()

    def imported(size: int) -> list[str]:
        def work() -> None:
            start = 1000 * next(numbers)
            add_compounds(staff, range(start, start + size))

        return trips.of(work)

    few = imported(2)
    assert len(few) <= 8, few
    assert imported(tabular.PORTION) == few


def test_a_person_with_many_grants_takes_no_more_trips_than_one_with_a_single_grant(
    district: District, trips: Trips
) -> None:
    administrator, staff, numbers = district.sign_in("administrator", ""), district.sign_in(), count(1)
    add_compounds(administrator, FEW)

    def asked() -> tuple[list[str], list[str]]:
        return (
            trips.of(lambda: staff.get("/api/v1/compounds", count="true")),
            trips.of(lambda: staff.add("compounds", **{**COMPOUND, "code": f"N{next(numbers)}"})),
        )

    with_one = asked()
    roles = ("street_staff", "community_staff", "supervisor", "enforcement_officer")
    grants = [{"role": role, "area": f"{EAST_ONE}/C{n:05d}"} for n in range(5) for role in roles]
    storage.database()["users"].update_one({"_id": staff.user.id}, {"$push": {"grants": {"$each": grants}}})
    assert len(principal_of(staff.user.id).grants) == 21
    assert asked() == with_one


def test_what_the_cockpit_shows_takes_the_same_trips_however_much_there_is(district: District, trips: Trips) -> None:
    staff, everything = district.sign_in(), registry.installed()

    def add(numbers: range) -> None:
        add_devices(staff, numbers)
        add_captures(staff, numbers)
        rollups.recompute_dirty()

    def shown(records: Iterable[Panel | MapLayer]) -> dict[str, list[str]]:
        person, made = principal_of(staff.user.id), {}
        for each in records:
            view = View(area=DISTRICT, scope=scope_filter(person, each.permission, within=DISTRICT))
            # A figure is read in the pieces of its time, months, days and hours: one trip for each, however many sums.
            made[each.name] = [trip for trip, _ in groupby(trips.of(partial(each.show, view)))]
        return made

    add(FEW)
    panels, layers = shown(everything.panels), shown(everything.map_layers)
    assert not {name: each for name, each in panels.items() if len(each) > 4}
    # Its points, and what their kinds are called.
    assert not {name: each for name, each in layers.items() if len(each) > 2}
    add(range(10, 150))  # enough to see it: the store sends 101 rows at first, all others in one more trip
    assert shown(everything.panels) == panels
    assert all(len(each) <= 3 for each in shown(everything.map_layers).values())
