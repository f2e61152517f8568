"""GeoReport v2, read by a client that is not ours (georeport, from the Python package index).

That client cannot send; sending is checked against the specification.
"""

from __future__ import annotations

import io
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from bson import ObjectId
from georeport import GeoReport
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import make_server

from backend.identity import Organisation
from backend.plugin_api import utcnow
from plugins.publicity.exposure.models import Exposure, Reporter
from plugins.publicity.open311.forms import element
from tests.district import DISTRICT, EAST_ONE, Caller, District
from tests.publicity.conftest import TEXT, handled, judge, picture, sent, work

SERVICE_FIELDS = {"service_code", "service_name", "description", "metadata", "type", "keywords", "group"}
REQUEST_FIELDS = {
    "service_request_id", "status", "status_notes", "service_name", "service_code", "description",
    "agency_responsible", "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address",
    "address_id", "zipcode", "lat", "long", "media_url",
}  # fmt: skip


@pytest.fixture
def root(town: District) -> Iterator[str]:
    """Serve the app and return the address of the edge."""
    server = make_server("127.0.0.1", 0, town.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/api/v1/open311/v2"
    server.shutdown()
    thread.join()


@pytest.fixture
def vendor(town: District) -> Caller:
    """Return somebody of a vendor."""
    return town.sign_in("vendor", DISTRICT, organisation=company())


def company() -> ObjectId:
    """Return a vendor's organisation."""
    made = Organisation(kind="vendor", name="厂商", area=DISTRICT)
    return made.save().id


@pytest.fixture
def key(vendor: Caller) -> str:
    """Return the vendor's key."""
    return str(vendor.add("open311-keys", title="市民随手拍")["api_key"])


def post(root: str, key: str, form: str = "json", files: Any = None, headers: Any = None, **values: Any) -> Any:
    """Send a request as the specification's example does."""
    told = {"service_code": "overflow", "lat": "30.271", "long": "120.101", "description": TEXT, **values}
    return requests.post(
        f"{root}/requests.{form}", data={"api_key": key, **told}, files=files, headers=headers, timeout=20
    )


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_foreign_client_reads_services_definitions_and_requests(
    root: str, town: District, moderator: Caller, form: str
):
    exposure, _ = handled(town, moderator, picture())
    waiting, _ = sent(town, text="另外一个点位也满了。")
    judge(moderator, waiting, "accept")
    unread, _ = sent(town, text="还没有人看过的上报。")
    judge(moderator, exposure, "publish", text="桶边垃圾已清运。", photos=[0], checked=True)
    client = GeoReport(root, jurisdiction=DISTRICT, output_format=form)
    services = client.get_service_list()
    assert len(services) == 11 and all(set(each) == SERVICE_FIELDS for each in services)
    assert (services[0]["service_code"], services[0]["service_name"]) == ("overflow", "垃圾桶满溢")
    definition = client.get_service_definition("overflow")
    assert definition["service_code"] == "overflow"
    listed = {each["service_request_id"]: each for each in client.get_service_requests()}
    assert set(listed) == {exposure.number, waiting.number}
    closed = listed[exposure.number]
    assert set(closed) == REQUEST_FIELDS
    assert (closed["status"], closed["description"]) == ("closed", "桶边垃圾已清运。")
    assert requests.get(closed["media_url"], timeout=20).headers["Content-Type"] == "image/jpeg"
    still = listed[waiting.number]
    assert (still["status"], still["description"], still["media_url"]) == ("open", None, None)
    assert still["requested_datetime"].endswith("T16:00:00Z")  # the day in Shanghai, not the minute
    assert client.get_service_request(exposure.number) == closed
    (one,) = (
        [client.get_service_requests(status="open", service_code="overflow")]
        if form == "xml"
        else client.get_service_requests(status="open", service_code="overflow")
    )
    assert one["service_request_id"] == waiting.number
    with pytest.raises(requests.HTTPError):
        client.get_service_request(unread.number)


def test_a_program_reports_and_follows_what_it_sent(root: str, key: str, moderator: Caller):
    files = [("media", ("a.jpg", picture(), "image/jpeg"))]
    answer = post(
        root, key, files=files, first_name="芳", last_name="王", phone="13812345678", jurisdiction_id=DISTRICT
    )
    assert answer.status_code == 201 and answer.headers["Content-Type"] == "application/json; charset=utf-8"
    (sent_back,) = answer.json()
    assert set(sent_back) == {"service_request_id", "service_notice", "account_id"}
    exposure = Exposure.objects.get(number=sent_back["service_request_id"])
    assert (exposure.source, exposure.point, len(exposure.photos), exposure.named) == ("open311", "T1", 1, False)
    assert json.loads(Reporter.objects.first().identity)["name"] == "王芳"
    here = f"{root}/requests/{exposure.number}.json"
    assert requests.get(here, timeout=20).status_code == 404
    (own,) = requests.get(here, params={"api_key": key}, timeout=20).json()
    assert own["status"] == "open" and own["description"] is None
    token = requests.get(f"{root}/tokens/{exposure.number}.xml", timeout=20)
    assert ET.fromstring(token.content).findtext("request/service_request_id") == exposure.number


def test_xml_is_what_the_specification_shows(root: str, key: str):
    answer = post(root, key, "xml", description="<b>&满了</b>\x0b又满了")
    assert answer.status_code == 201 and answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    assert ET.fromstring(answer.content).find("request/service_request_id") is not None
    services = ET.fromstring(requests.get(f"{root}/services.xml", timeout=20).content)
    assert services.tag == "services" and services.findtext("service/metadata") == "true"
    definition = ET.fromstring(requests.get(f"{root}/services/overflow.xml", timeout=20).content)
    assert definition.findtext("attributes/attribute/code") == "point"
    discovery = ET.fromstring(requests.get(f"{root.removesuffix('/v2')}/discovery.xml", timeout=20).content)
    assert discovery.findtext("endpoints/endpoint/url") == root
    plain = requests.get(f"{root}/services", headers={"Accept": "text/xml"}, timeout=20)
    assert plain.headers["Content-Type"] == "text/xml; charset=utf-8"


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"api_key": ""}, 403),
        ({"api_key": "wrong"}, 403),
        ({"service_code": ""}, 400),
        ({"service_code": "999"}, 404),
        ({"jurisdiction_id": "city.gov"}, 404),
        ({"description": ""}, 400),
        ({"lat": "", "long": ""}, 400),
        ({"lat": "nan"}, 400),
        ({"lat": "29", "long": "119"}, 400),
        ({"attribute[point]": "T9"}, 400),
        ({"media_url": "javascript:alert(1)"}, 400),
    ],
)
@pytest.mark.parametrize("form", ["json", "xml"])
def test_errors_are_those_of_the_specification(root: str, key: str, values: dict[str, str], status: int, form: str):
    answer = post(
        root, values.get("api_key", key), form, **{name: text for name, text in values.items() if name != "api_key"}
    )
    assert answer.status_code == status, answer.text
    if form == "json":
        (error,) = answer.json()
        assert error["code"] == str(status) and error["description"]
    else:
        assert ET.fromstring(answer.content).findtext("error/code") == str(status)
    assert Exposure.objects.count() == 0


def test_html_as_media_is_refused(root: str, key: str):
    answer = post(root, key, files=[("media", ("a.jpg", b"<html><script>x</script></html>", "image/jpeg"))])
    assert answer.status_code == 400 and "JPEG" in answer.json()[0]["description"]


def test_the_same_key_of_a_sending_reports_once(root: str, key: str):
    first, second = (post(root, key, headers={"Idempotency-Key": "app-000001"}) for _ in range(2))
    assert first.json() == second.json() and Exposure.objects.count() == 1


@pytest.mark.parametrize(
    "query",
    [
        "start_date=yesterday",
        "start_date=2026-01-01T00:00:00",
        "start_date=2020-01-01T00:00:00Z",
        "status=lost",
        "page=0",
        "page_size=201",
        "page=x",
        "end_date=2026-01-01T00:00:00Z&start_date=2026-02-01T00:00:00Z",
        "api_key=x",
    ],
)
def test_questions_that_cannot_be_answered(root: str, query: str):
    answer = requests.get(f"{root}/requests.json?{query}", timeout=20)
    assert answer.status_code in (400, 403) and answer.json()[0]["code"] == str(answer.status_code)


def test_pages_go_through_all_that_a_vendor_sent(root: str, key: str):
    numbers = [post(root, key, description=f"第 {n} 件：桶满了。").json()[0]["service_request_id"] for n in range(5)]
    asked = {"api_key": key, "page_size": "2", "start_date": utcnow().strftime("%Y-%m-%dT00:00:00Z")}
    pages = [
        requests.get(f"{root}/requests.json", params={**asked, "page": str(n)}, timeout=20).json() for n in (1, 2, 3, 4)
    ]
    assert [each["service_request_id"] for page in pages for each in page] == numbers[::-1]
    assert pages[3] == []
    several = requests.get(
        f"{root}/requests.json", params={"api_key": key, "service_request_id": ",".join(numbers[:2])}, timeout=20
    )
    assert {each["service_request_id"] for each in several.json()} == set(numbers[:2])


def test_a_key_is_shown_once_kept_as_a_hash_and_can_be_ended(root: str, town: District, vendor: Caller, key: str):
    (listed,) = vendor.get("/api/v1/open311-keys")["items"]
    assert "api_key" not in listed
    other = town.sign_in("vendor", DISTRICT, organisation=company())
    assert other.get("/api/v1/open311-keys")["items"] == []
    here = f"/api/v1/open311-keys/{listed['id']}"
    assert other.call("DELETE", here, etag=listed["etag"]).status_code == 404
    assert vendor.call("DELETE", here, etag=listed["etag"]).status_code == 204
    assert post(root, key).status_code == 403
    assert (
        town.sign_in("resident", EAST_ONE).call("POST", "/api/v1/open311-keys", json={"title": "x"}).status_code == 403
    )
    work()


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.dictionaries(st.just("name"), inner),
    max_leaves=4,
)


@given(st.lists(values, max_size=3))
def test_whatever_people_wrote_the_xml_can_be_read(content: list[Any]):
    read = ET.parse(io.StringIO(element("services", content))).getroot()
    assert len(read.findall("service")) == len(content)
