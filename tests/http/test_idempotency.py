"""A request that is sent again takes effect once."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from backend.http.idempotency import StoredAnswer
from tests.http.conftest import Person, things

URL = "/api/v1/things"
KEY = {"Idempotency-Key": "0d5be7b2-12"}


def test_the_first_answer_is_given_again(editor, other):
    first = editor.post(URL, json={"name": "私人电话"}, headers=KEY)
    again = editor.post(URL, json={"name": "私人电话"}, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data and again.headers["Idempotency-Replayed"] == "true"
    assert all(again.headers[name] == first.headers[name] for name in ("ETag", "Location", "Content-Type"))
    assert "Idempotency-Replayed" not in first.headers
    assert things().count_documents({}) == 1
    # Another person's key is another key, and what is kept can be read by nobody.
    assert "Idempotency-Replayed" not in other.post(URL, json={"name": "私人电话"}, headers=KEY).headers
    kept = StoredAnswer._get_collection().find_one()
    assert "私人电话".encode() not in kept["body"]


def test_another_request_may_not_use_the_key(editor):
    key = {"Idempotency-Key": "another-key"}
    editor.post(URL, json={"name": "a"}, headers=key)
    refused = editor.post(URL, json={"name": "b"}, headers=key)
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    assert editor.post(f"{URL}?x=1", json={"name": "a"}, headers=key).status_code == 422
    assert things().count_documents({}) == 1


def test_a_refused_request_leaves_nothing_and_may_be_repeated(editor):
    key = {"Idempotency-Key": "refused-first"}
    for _ in range(2):
        assert editor.post(URL, json={"name": "half"}, headers=key).status_code == 409
    assert editor.post(URL, json={"name": "half"}).status_code == 409
    assert things().count_documents({}) == 0
    assert editor.post(URL, json={"name": "whole"}, headers=key).status_code == 201


def test_keys_are_checked(editor):
    for bad in ("short", "x" * 101, "with space in it", "tab\there-and-there"):
        answer = editor.post(URL, json={"name": "a"}, headers={"Idempotency-Key": bad})
        assert (answer.status_code, list(answer.json["fields"])) == (422, ["Idempotency-Key"])


def test_all_at_once_take_effect_once(app):
    key = {"Idempotency-Key": "all-at-once"}
    people = [Person(app, "editor") for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda who: who.post(URL, json={"name": "a"}, headers=key), people))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert things().count_documents({}) == 1


def test_a_form_sent_again_has_another_boundary(editor):
    picture = io.BytesIO()
    Image.new("RGB", (64, 48)).save(picture, "JPEG")

    def send(data: bytes):
        form = {"file": (io.BytesIO(data), "a.jpg")}
        return editor.post(f"{URL}/photos", data=form, headers={"Idempotency-Key": "photo-key"})

    first, again = send(picture.getvalue()), send(picture.getvalue())
    assert (first.status_code, first.json["width"]) == (201, 64)
    assert again.headers["Idempotency-Replayed"] == "true" and again.data == first.data
    assert send(picture.getvalue() + b"more").json["code"] == "idempotency_key_reused"
    assert things().count_documents({}) == 1


def test_a_form_with_a_part_without_a_name_is_refused_and_may_be_mended(editor):
    def send(part: str):
        body = f"--b\r\nContent-Disposition: form-data{part}\r\n\r\nx\r\n--b--\r\n".encode()
        headers = {"Idempotency-Key": "nameless", "Content-Type": "multipart/form-data; boundary=b"}
        return editor.post(f"{URL}/photos", data=body, headers=headers)

    for part in ("", '; filename="a.jpg"'):
        assert (send(part).status_code, send(part).json["detail"]) == (422, "表单中有一部分没有名称。")
    assert things().count_documents({}) == 0
