"""Uploads that continue: what is safe is kept, the offset never lies, and nobody sees another person's."""

from __future__ import annotations

import base64
import errno
import hashlib
import io
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from backend import blobs, settings, storage
from backend.blobs import uploads
from backend.http import Problem, finished_upload
from backend.identity import Principal
from tests.district import DISTRICT, Caller, District

URL = "/api/v1/uploads"
PORTION = "application/offset+octet-stream"
MB = 1 << 20


class Person:
    """A person with a tus client."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def send(self, method: str, url: str, **options: Any) -> TestResponse:
        """Send a request in tus's version."""
        headers = {"Tus-Resumable": "1.0.0", **options.pop("headers", {})}
        return self.caller.call(method, url, headers=headers, **options)

    def begin(self, size: int, **headers: str) -> str:
        """Begin an upload and return its address."""
        answer = self.send("POST", URL, headers={"Upload-Length": str(size), **headers})
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def go_on(self, url: str, offset: int, content: bytes, **headers: str) -> TestResponse:
        """Send a portion."""
        named = {"Upload-Offset": str(offset), "Content-Type": PORTION, **headers}
        return self.send("PATCH", url, data=content, headers=named)

    def offset(self, url: str) -> int:
        """Ask how far the upload is."""
        answer = self.send("HEAD", url)
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])

    def content(self, url: str) -> bytes:
        """Return what the platform has in the end."""
        with finished_upload(url.rpartition("/")[2], principal(self.caller)) as file:
            return file.read()


def principal(caller: Caller) -> Principal:
    return Principal(id=caller.user.id, account="", name="", user_type="", area="", organisation=None, grants=())


@pytest.fixture
def person(district: District) -> Person:
    return Person(district.sign_in())


def code_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_what_is_spoken_is_said_without_a_login(district: District) -> None:
    answer = district.anyone("OPTIONS", URL)
    assert answer.status_code == 204 and answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "termination", "checksum", "expiration"}
    assert answer.headers["Tus-Max-Size"] == "200000000"
    assert district.anyone("POST", URL, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1"}).status_code == 401


def test_another_version_is_refused(person: Person) -> None:
    for version in ("0.2.2", ""):
        answer = person.send("POST", URL, headers={"Tus-Resumable": version, "Upload-Length": "10"})
        assert code_of(answer) == (412, "upload_protocol")
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"


def test_a_file_comes_in_portions_and_is_exact(person: Person) -> None:
    content = os.urandom(20 * MB + 7)
    named = "filename " + base64.b64encode("现场.mp4".encode()).decode()
    url = person.begin(len(content), **{"Upload-Metadata": named})
    assert url.startswith(URL) and person.offset(url) == 0
    for start, stop in ((0, 9 * MB), (9 * MB, 9 * MB + 1), (9 * MB + 1, len(content))):
        answer = person.go_on(url, start, content[start:stop])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(stop)), answer.text
        assert person.offset(url) == stop
    head = person.send("HEAD", url)
    assert (head.headers["Upload-Length"], head.headers["Upload-Metadata"]) == (str(len(content)), named)
    assert "Upload-Expires" in head.headers
    assert person.content(url) == content


def test_the_finished_file_can_be_searched(person: Person) -> None:
    content = os.urandom(17 * MB)
    url = person.begin(len(content))
    person.go_on(url, 0, content)
    with finished_upload(url.rpartition("/")[2], principal(person.caller)) as file:
        for place in (16 * MB + 5, 3, 8 * MB - 2, 8 * MB, 300_000):
            assert file.seek(place) == place and file.read(1000) == content[place : place + 1000]
        assert file.seek(-10, io.SEEK_END) == len(content) - 10 and file.read() == content[-10:]
        file.seek(0)
        blob = blobs.put(file, media_type="video/mp4", space=DISTRICT)
    assert blob.sha256 == hashlib.sha256(content).hexdigest()


def test_nothing_readable_lies_on_the_disk(person: Person, district: District) -> None:
    url = person.begin(3 * MB)
    person.go_on(url, 0, b"faces " * (MB // 2))
    stored = [path.read_bytes() for path in (district.settings.data_dir / "blobs").rglob("*") if path.is_file()]
    assert sum(map(len, stored)) > 3 * MB and not any(b"faces" in each for each in stored)


def test_a_wrong_place_or_too_many_bytes_are_refused_and_change_nothing(person: Person) -> None:
    url = person.begin(100)
    assert code_of(person.go_on(url, 10, bytes(5))) == (409, "upload_moved")
    assert code_of(person.go_on(url, 0, bytes(101))) == (413, "too_large")
    wrong = person.send("PATCH", url, data=b"x", headers={"Upload-Offset": "0", "Content-Type": "video/mp4"})
    assert code_of(wrong) == (415, "unsupported_media_type")
    assert code_of(person.go_on(url, "-1", b"x")) == (422, "invalid")  # type: ignore[arg-type]
    assert person.offset(url) == 0
    with pytest.raises(Problem) as unfinished:
        person.content(url)
    assert unfinished.value.kind.code == "upload_unfinished"


@pytest.mark.parametrize("headers", [{}, {"Upload-Length": "-5"}, {"Upload-Length": "1e3"}, {"Upload-Length": "١"}])
def test_a_length_must_be_given(person: Person, headers: dict[str, str]) -> None:
    try:
        answer = person.send("POST", URL, headers=headers)
    except UnicodeEncodeError:
        pytest.skip("the client refuses it")
    assert code_of(answer) == (422, "invalid")


@pytest.mark.parametrize("told", ["name ???", "$where eA==", "a.b eA==", "name b c"])
def test_bad_metadata_is_refused(person: Person, told: str) -> None:
    answer = person.send("POST", URL, headers={"Upload-Length": "1", "Upload-Metadata": told})
    assert code_of(answer) == (422, "invalid")


def test_the_settings_bound_size_and_number(person: Person) -> None:
    settings.configure(replace(settings.current(), max_clip_bytes=1000, max_open_uploads=2))
    assert code_of(person.send("POST", URL, headers={"Upload-Length": "1001"})) == (413, "too_large")
    first, _ = person.begin(1000), person.begin(5)
    answer = person.send("POST", URL, headers={"Upload-Length": "5"})
    assert code_of(answer) == (429, "too_many_uploads")
    assert person.send("DELETE", first).status_code == 204
    person.begin(5)


def test_another_person_sees_nothing_of_it(person: Person, district: District) -> None:
    url = person.begin(10)
    person.go_on(url, 0, bytes(10))
    other = Person(district.sign_in("street_staff", DISTRICT))
    assert other.send("HEAD", url).status_code == 404
    assert other.go_on(url, 0, bytes(10)).status_code == 404
    assert other.send("DELETE", url).status_code == 404
    with pytest.raises(Problem) as refused:
        other.content(url)
    assert refused.value.kind.code == "not_found"
    assert person.send("HEAD", f"{URL}/{ObjectId()}").status_code == 404


def test_a_portion_with_a_wrong_checksum_is_forgotten(person: Person) -> None:
    content = os.urandom(9 * MB)
    url = person.begin(len(content))
    right = base64.b64encode(hashlib.sha1(content).digest()).decode()
    wrong = base64.b64encode(hashlib.sha1(b"other").digest()).decode()
    assert code_of(person.go_on(url, 0, content, **{"Upload-Checksum": f"sha1 {wrong}"})) == (460, "checksum_mismatch")
    assert person.go_on(url, 0, content, **{"Upload-Checksum": f"md5 {wrong}"}).status_code == 400
    assert person.offset(url) == 0
    assert person.go_on(url, 0, content, **{"Upload-Checksum": f"sha1 {right}"}).status_code == 204
    assert person.content(url) == content


def test_of_two_at_one_place_one_wins(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    url = person.begin(1000)
    both = threading.Barrier(2)
    write = uploads.write_encrypted

    def together(*arguments: Any) -> dict[str, Any]:
        written = write(*arguments)
        both.wait()
        return written

    monkeypatch.setattr(uploads, "write_encrypted", together)
    contents, answers = [b"a" * 1000, b"b" * 1000], {}
    threads = [
        threading.Thread(target=lambda each=each: answers.update({each: person.go_on(url, 0, each).status_code}))
        for each in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers.values()) == [204, 409]
    [winner] = [content for content, status in answers.items() if status == 204]
    assert person.content(url) == winner


def test_what_is_dropped_or_expired_leaves_no_bytes(person: Person, district: District) -> None:
    folder = district.settings.data_dir / "blobs"
    before = {path for path in folder.rglob("*") if path.is_file()}
    ended, old = person.begin(10), person.begin(10)
    for url in (ended, old):
        person.go_on(url, 0, bytes(6))
    assert person.send("DELETE", ended).status_code == 204
    assert person.send("HEAD", ended).status_code == 404
    blobs.remove_orphans(older_than_seconds=-1)
    assert person.offset(old) == 6 and len({path for path in folder.rglob("*") if path.is_file()} - before) == 1
    record = {"_id": old.rpartition("/")[2]}
    storage.database()["uploads"].update_one(record, {"$set": {"expires_at": storage.utcnow()}})
    assert person.send("HEAD", old).status_code == 404
    assert uploads.drop_expired() == 1
    assert {path for path in folder.rglob("*") if path.is_file()} <= before


def test_a_full_disk_is_said_and_the_upload_goes_on_later(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    content = os.urandom(20 * MB)
    url = person.begin(len(content))
    calls, fsync = [], os.fsync

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) >= 3:  # the first part takes two: its file and its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr("backend.blobs.folder.os.fsync", full)
        assert code_of(person.go_on(url, 0, content)) == (507, "files_full")
    safe = person.offset(url)
    assert safe == 8 * MB
    assert person.go_on(url, safe, content[safe:]).status_code == 204
    assert person.content(url) == content


@pytest.fixture
def address(platform_app: Flask, district: District) -> Iterator[tuple[str, int]]:
    """Serve the app over a real socket."""
    server = make_server("127.0.0.1", 0, platform_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield "127.0.0.1", server.server_port
    server.shutdown()
    thread.join()


def test_a_broken_connection_keeps_what_came(person: Person, address: tuple[str, int]) -> None:
    content = os.urandom(12 * MB)
    url = person.begin(len(content))
    with socket.create_connection(address) as line:
        head = f"PATCH {url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.caller.token}\r\n"
        head += f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: {PORTION}\r\n"
        line.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[: 10 * MB])
    for _ in range(100):
        if (safe := person.offset(url)) >= 8 * MB:
            break
        threading.Event().wait(0.05)
    threading.Event().wait(0.3)
    safe = person.offset(url)
    assert 8 * MB <= safe <= 10 * MB
    assert person.go_on(url, safe, content[safe:]).status_code == 204
    assert person.content(url) == content
