"""Time stamps come in the background, are checked before they are kept, and hold nothing up when they do not come."""

from __future__ import annotations

import logging
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from backend import storage
from backend.settings import Settings, SettingsError, configure
from plugins.evidence.custody import stamping
from plugins.evidence.custody.authorities import LocalAuthority, Unanswered, write_authority
from plugins.evidence.custody.canonical import root_bytes
from plugins.evidence.custody.roots import make_roots
from plugins.evidence.custody.stamping import ATTEMPTS, examine, stamp_waiting
from plugins.evidence.custody.verifying import verify
from tests.custody.chains import write
from tests.district import District

Answer = Callable[[bytes], bytes]


class Authority:
    """An authority on loopback; `answer` may be exchanged, None lets it refuse."""

    def __init__(self, folder: Path) -> None:
        self.own = LocalAuthority(folder)
        self.answer: Answer | None = self.own.answer
        self.asked = 0
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                authority.asked += 1
                request = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                self.send_response(200 if authority.answer else 503)
                self.end_headers()
                if authority.answer:
                    self.wfile.write(authority.answer(request))

            def log_message(self, *_arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/tsa"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def authority(district: District, tmp_path: Path) -> Iterator[Authority]:
    """Ask an authority over the network, whose CA certificate is known."""
    authority = Authority(tmp_path / "tsa")
    certificates = tmp_path / "ca.pem"
    certificates.write_text(authority.own.certificates())
    configure(
        replace(district.settings, timestamp_authority=authority.address, timestamp_certificates=str(certificates))
    )
    yield authority
    authority.server.shutdown()
    configure(district.settings)


def stamps() -> list[dict[str, Any]]:
    return [row["stamp"] for row in storage.database().evidence_roots.find().sort("number")]


def root() -> int:
    write()
    [number] = make_roots("33")
    return number


def let_time_pass() -> None:
    storage.database().evidence_roots.update_many(
        {"stamp.state": "waiting"}, {"$set": {"stamp.due_at": storage.utcnow() - timedelta(seconds=1)}}
    )


def test_an_authority_is_asked_once_for_each_root(authority: Authority) -> None:
    root(), root()
    assert stamp_waiting() == 2
    assert stamp_waiting() == 0
    assert authority.asked == 2
    for stamp in stamps():
        assert (stamp["state"], stamp["checked"], stamp["authority"]) == ("stamped", "full", authority.address)
        assert abs((stamp["at"] - storage.utcnow()).total_seconds()) < 60
    assert verify("33").stamps == 2


def test_openssl_accepts_what_is_kept(authority: Authority, tmp_path: Path) -> None:
    root()
    stamp_waiting()
    row = storage.database().evidence_roots.find_one()
    (tmp_path / "data").write_bytes(root_bytes(row))
    (tmp_path / "token").write_bytes(row["stamp"]["token"])
    (tmp_path / "cas").write_text(row["stamp"]["certificates"])
    command = ["openssl", "ts", "-verify", "-data", "data", "-in", "token", "-CAfile", "cas"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_an_authority_that_is_down_holds_up_no_root_and_is_left_in_peace_for_a_while(authority: Authority) -> None:
    authority.answer = None
    assert [root(), root()] == [1, 2]
    assert stamp_waiting() == 0
    assert "503" in stamps()[0]["reason"]
    # The second root was not even tried: one refusal is enough.
    assert (authority.asked, stamps()[1]["attempts"]) == (1, 0)


def test_after_many_attempts_a_stamp_has_failed_and_a_later_root_covers_it(authority: Authority) -> None:
    authority.answer = None
    root()
    waits = []
    for _ in range(ATTEMPTS):
        let_time_pass()
        now = storage.utcnow()
        stamp_waiting()
        if "due_at" in stamps()[0]:
            waits.append((stamps()[0]["due_at"] - now).total_seconds())
    assert [round(wait) for wait in waits[:8]] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert (stamps()[0]["state"], authority.asked) == ("failed", ATTEMPTS)
    authority.answer = authority.own.answer
    root()
    assert stamp_waiting() == 1
    assert [stamp["state"] for stamp in stamps()] == ["failed", "stamped"]
    assert verify("33").fault is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _own, _asked: b"<html>", "无法解读"),
        (lambda _own, _asked: b"", "无法解读"),
        (lambda own, asked: own.answer(asked[:-20] + b"x" * 20)[:-9], "无法解读|拒绝"),
    ],
)
def test_an_answer_that_is_no_stamp_is_not_kept(authority: Authority, answer: Any, reason: str) -> None:
    own = authority.own
    authority.answer = lambda asked: answer(own, asked)
    root()
    assert stamp_waiting() == 0
    assert "token" not in stamps()[0]
    assert re.search(reason, stamps()[0]["reason"])


def test_a_stamp_for_something_else_or_of_somebody_else_or_an_old_one_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    root()
    kept: list[bytes] = []

    def answer(request: bytes) -> bytes:
        kept.append(authority.own.answer(request))
        return kept[-1]

    authority.answer = answer
    stamp_waiting()
    row = storage.database().evidence_roots.find_one()
    data, [token], certificates = root_bytes(row), kept, authority.own.certificates()
    nonce = stamping.decode(token).tst_info.nonce
    assert examine(token, data, nonce, certificates).checked == "full"
    with pytest.raises(Unanswered, match="不是为这个根"):
        examine(token, data + b" ", nonce, certificates)
    with pytest.raises(Unanswered, match="随机数"):
        examine(token, data, nonce + 1, certificates)
    with pytest.raises(Unanswered, match="签名不正确"):
        examine(token, data, nonce, LocalAuthority(tmp_path / "stranger").certificates())


def test_without_a_ca_certificate_a_stamp_is_kept_as_unchecked(authority: Authority, district: District) -> None:
    configure(replace(district.settings, timestamp_authority=authority.address))
    root()
    assert stamp_waiting() == 1
    assert stamps()[0]["checked"] == "imprint"
    assert verify("33").fault is None


def test_a_stamp_whose_encoding_the_strict_reader_refuses_is_kept_and_left_to_openssl(
    authority: Authority, district: District
) -> None:
    folder = authority.own.folder
    configuration = folder / "authority.cnf"
    both = folder / "both.pem"
    both.write_text((folder / "ca.pem").read_text() + (folder / "signer.pem").read_text())
    configuration.write_text(configuration.read_text() + "certs = both.pem\n")
    root()
    assert stamp_waiting() == 1
    assert (stamps()[0]["checked"], stamps()[0]["at"]) == ("openssl", None)
    assert verify("33").fault is None
    configure(replace(district.settings, timestamp_authority=authority.address))
    root()
    assert stamp_waiting() == 1
    assert stamps()[1]["checked"] == "needs_openssl"
    assert verify("33").stamps == 2


def test_none_is_asked_for_in_production_unless_an_authority_is_chosen(district: District) -> None:
    configure(replace(district.settings, mode="production"))
    root()
    assert stamps() == [{"state": "none"}]
    configure(replace(district.settings, mode="production", timestamp_authority="local"))
    root()
    assert stamps()[1]["state"] == "waiting"
    configure(replace(district.settings, timestamp_authority="none"))
    stamp_waiting()
    assert stamps()[1] == {"state": "none"}
    configure(district.settings)


def test_a_local_authority_is_made_once_and_its_ca_key_is_forgotten(tmp_path: Path) -> None:
    made = [LocalAuthority(tmp_path / "tsa").certificates() for _ in range(2)]
    assert made[0] == made[1]
    assert not [file for file in (tmp_path / "tsa").iterdir() if re.search("PRIVATE", file.read_text())][1:]
    (tmp_path / "other").mkdir()
    write_authority(tmp_path / "other")
    assert (tmp_path / "other" / "ca.pem").read_text() != made[0]


def test_a_refusal_is_logged(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    authority.answer = None
    root()
    with caplog.at_level(logging.WARNING):
        stamp_waiting()
    assert "root_not_stamped" in caplog.text


@pytest.mark.parametrize("authority", ["lokal", "file:///etc/passwd", "ftp://tsa"])
def test_an_authority_that_is_none_is_refused_at_the_start(authority: str) -> None:
    with pytest.raises(SettingsError, match="QINGXU_TIMESTAMP_AUTHORITY"):
        Settings(timestamp_authority=authority).checked()
