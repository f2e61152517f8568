"""The inbox over the API and the wordings that administrators give."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import messages, settings
from backend.messages import Message, MessageTemplate
from backend.messages.wording import filled, filled_address, is_own_address
from backend.protection import encrypt_field
from backend.storage import database, utcnow
from tests.district import Caller, District, no_id
from tests.messages.conftest import RAISED, VALUES, Post

TEMPLATES = "/api/v1/message-templates"


def letters(post: Post, person: Caller, count: int) -> None:
    """Give somebody so many messages of their own."""
    settings.configure(replace(settings.current(), messages_per_hour=1000))
    for number in range(count):
        post.send(person, values={**VALUES, "number": str(number)})
    post.work()


def test_pages_go_back_without_gap_and_everybody_sees_the_own_alone(post: Post) -> None:
    wang, zhang = post.district.sign_in(), post.district.sign_in("administrator", "")
    letters(post, wang, 5)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = wang.get("/api/v1/messages", limit=2, **cursor)
        seen += [each["href"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [f"/alerts/{number}" for number in (4, 3, 2, 1, 0)]
    assert zhang.get("/api/v1/messages")["items"] == []
    own = wang.get("/api/v1/messages")["items"][0]["id"]
    assert zhang.call("POST", f"/api/v1/messages/{own}/read").status_code == 404
    assert wang.get("/api/v1/messages/unread")["count"] == 5
    assert post.district.anyone("GET", "/api/v1/messages").status_code == 401


def test_reading_one_and_reading_all_that_was_seen(post: Post) -> None:
    wang = post.district.sign_in()
    letters(post, wang, 3)
    newest, *_, oldest = wang.get("/api/v1/messages")["items"]
    for _twice in range(2):
        assert wang.call("POST", f"/api/v1/messages/{oldest['id']}/read").status_code == 204
    read_at = wang.get("/api/v1/messages")["items"][-1]["read_at"]
    assert read_at and wang.get("/api/v1/messages/unread") == {"count": 2, "shown": "2"}
    post.send(wang)  # arrives after the list was shown
    post.work()
    assert wang.call("POST", "/api/v1/messages/read-all", json={"until": newest["id"]}).json == {"marked": 2}
    assert len(wang.get("/api/v1/messages", unread="true")["items"]) == 1
    assert wang.get("/api/v1/messages")["items"][-1]["read_at"] == read_at
    assert wang.call("POST", f"/api/v1/messages/{no_id()}/read").status_code == 404
    assert wang.call("POST", "/api/v1/messages/read-all", json={"until": "x"}).status_code == 422


def test_the_unread_count_stops_at_99_and_costs_one_indexed_look(post: Post, district: District) -> None:
    wang = district.sign_in()
    now = utcnow()
    rows = []
    for _ in range(150):
        id = no_id()
        rows.append(
            {"_id": id, "version": 1, "created_at": now, "updated_at": now, "to": wang.user.id, "template": "t",
             "title": "新的预警", "text": encrypt_field(Message, id, "text", "满溢"), "href": "", "subject": "",
             "subject_id": "", "area": "", "urgent": False, "summed": 0, "read_at": None}
        )  # fmt: skip
    database()["messages"].insert_many(rows)
    assert wang.get("/api/v1/messages/unread") == {"count": 99, "shown": "99+"}
    keys = [tuple(name for name, _ in each["key"]) for each in database()["messages"].index_information().values()]
    assert ("to", "read_at", "_id") in keys and ("to", "_id") in keys


def wording(person: Caller, name: str = "test.raised") -> dict[str, Any]:
    return next(each for each in person.get(TEMPLATES)["items"] if each["name"] == name)


def test_an_administrator_words_a_template_anew_and_it_counts_from_then_on(post: Post) -> None:
    admin, wang = post.district.sign_in("administrator", ""), post.district.sign_in()
    before = wording(admin)
    assert {each["name"]: each["meaning"] for each in before["fields"]}["reporter"] == "上报人"
    assert admin.call("PATCH", f"{TEMPLATES}/test.raised", json={"text": "x"}).status_code == 428
    text = "{reporter}上报：{point}{kind}。"
    answer = admin.call("PATCH", f"{TEMPLATES}/test.raised", json={"text": text, "channels": []}, etag=before["etag"])
    assert answer.status_code == 200, answer.text
    assert (answer.json["text"], answer.json["own_text"]) == (text, RAISED.text)
    post.send(wang)
    post.work()
    assert wang.get("/api/v1/messages")["items"][0]["text"] == "王芳上报：阳光花园 1 号投放点满溢。"
    assert post.sent == []
    stale = admin.call("PATCH", f"{TEMPLATES}/test.raised", json={"title": "预警"}, etag=before["etag"])
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    again = admin.call("PATCH", f"{TEMPLATES}/test.raised", json={"title": "预警"}, etag=answer.json["etag"])
    assert (again.json["title"], again.json["text"]) == ("预警", text)
    history = admin.get(f"{TEMPLATES}/test.raised/history")["items"]
    assert [each["detail"] for each in history] == [
        {"title": ["新的预警", "预警"]},
        {"text": [RAISED.text, text], "channels": [["all"], []]},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "{phone}"},
        {"text": "{point.__class__}"},
        {"text": "{point!r}"},
        {"text": "{0}"},
        {"text": "{point"},
        {"text": " "},
        {"text": ""},
        {"title": "{point}"},
        {"title": "长" * 41},
        {"channels": ["fax"]},
        {"href": "https://evil.example"},
    ],
)
def test_wordings_that_cannot_be_filled_are_refused(post: Post, wrong: dict[str, Any]) -> None:
    admin = post.district.sign_in("administrator", "")
    before = wording(admin)
    answer = admin.call("PATCH", f"{TEMPLATES}/test.raised", json=wrong, etag=before["etag"])
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert list(answer.json["fields"]) == list(wrong)
    assert wording(admin) == before


def test_templates_are_for_administrators_of_the_whole_platform(post: Post) -> None:
    local = post.district.sign_in("administrator", "33")
    assert post.district.sign_in().call("GET", TEMPLATES).status_code == 403
    etag = wording(local)["etag"]
    assert local.call("PATCH", f"{TEMPLATES}/test.raised", json={"title": "x"}, etag=etag).status_code == 403
    assert local.call("GET", f"{TEMPLATES}/test.none/history").status_code == 404


def test_a_wording_whose_field_is_gone_gives_way_to_the_plugins_own(post: Post) -> None:
    admin, wang = post.district.sign_in("administrator", ""), post.district.sign_in()
    etag = wording(admin)["etag"]
    admin.call("PATCH", f"{TEMPLATES}/test.raised", json={"text": "{reporter}"}, etag=etag)
    fewer = MessageTemplate(name="test.raised", title="预警", text="{point}有预警。")
    messages.install([fewer], [])
    post.send(wang, values={"point": "一号点"})
    post.work()
    assert wang.get("/api/v1/messages")["items"][0]["text"] == "一号点有预警。"


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "{Point}"},
        {"title": "{point}"},
        {"href": "https://evil.example/{number}"},
        {"href": "//evil.example"},
        {"list_href": "/alerts/{number}"},
    ],
)
def test_templates_that_cannot_be_right_are_no_records(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        replace(RAISED, **wrong)


@given(st.dictionaries(st.sampled_from(["point", "kind", "number"]), st.text(max_size=50), min_size=3))
def test_values_are_only_text_whatever_stands_in_them(values: dict[str, str]) -> None:
    assert filled("{point}|{kind}", values) == f"{values['point']}|{values['kind']}"
    try:
        address = filled_address("/alerts/{number}/{kind}", values)
    except UnicodeEncodeError:
        return
    assert address.count("/") == 3 and is_own_address(address)
