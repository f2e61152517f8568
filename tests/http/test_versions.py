"""Nobody overwrites what he has not seen, and nobody is sent what he has already."""

from __future__ import annotations

URL = "/api/v1/things"


def test_changes_need_the_version_that_was_seen(editor, other):
    made = editor.post(URL, json={"name": "a"})
    at, tag = made.headers["Location"], made.headers["ETag"]
    assert editor.get(at).headers["ETag"] == tag

    assert editor.patch(at, json={"amount": 1}).json["code"] == "precondition_required"
    for useless in ("*", "", ",", "garbage"):
        refused = editor.patch(at, json={"amount": 1}, headers={"If-Match": useless})
        assert refused.status_code in (412, 428), useless
    changed = editor.patch(at, json={"amount": 1}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json["amount"]) == (200, 1)
    stale = other.patch(at, json={"amount": 2}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    assert editor.get(at).json["amount"] == 1

    fresh = changed.headers["ETag"]
    assert fresh != tag
    # Proxies that compress weaken a tag or add to it.
    again = other.patch(at, json={"amount": 2}, headers={"If-Match": f'"x", W/{fresh[:-1]}:zstd"'})
    assert again.status_code == 200


def test_the_tag_of_another_record_does_not_fit(editor):
    one, two = (editor.post(URL, json={"name": name}) for name in "ab")
    refused = editor.patch(one.headers["Location"], json={}, headers={"If-Match": two.headers["ETag"]})
    assert refused.status_code == 412


def test_what_is_known_is_not_sent_again(editor):
    made = editor.post(URL, json={"name": "a"})
    for address in (made.headers["Location"], URL, "/api/openapi.json"):
        first = editor.get(address)
        again = editor.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    listed = editor.get(URL)
    editor.post(URL, json={"name": "b"})
    assert editor.get(URL, headers={"If-None-Match": listed.headers["ETag"]}).status_code == 200


def test_compressed_answers_are_known_again_too(editor):
    for number in range(60):
        editor.post(URL, json={"name": f"阳光小区 {number}"})
    packed = {"Accept-Encoding": "gzip"}
    first = editor.get(URL, headers=packed)
    assert first.headers["Content-Encoding"] == "gzip"
    again = editor.get(URL, headers={**packed, "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


def test_times_leave_in_utc(editor):
    made = editor.post(URL, json={"name": "a", "made_at": "2026-01-01T08:00:00+08:00"})
    assert editor.get(made.headers["Location"]).json["made_at"] == "2026-01-01T00:00:00Z"
