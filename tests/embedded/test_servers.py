"""The embedded servers as real processes: what they keep, what they refuse, and that they leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from pymongo import MongoClient

from backend.embedded import StartError, end_leftover, start_redis, start_store

RS, PY = ("secantusd-rs",), ("secantusd-py",)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def wait_until_gone(pid: int, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_store_keeps_what_it_acknowledged_over_sigkill(tmp_path):
    with start_store(tmp_path) as server, MongoClient(server.url) as client:
        for number in range(50):
            client.shop.things.insert_one({"_id": number})
        server.process.send_signal(signal.SIGKILL)
    with start_store(tmp_path) as server, MongoClient(server.url) as client:
        assert client.shop.things.count_documents({}) == 50
        with client.start_session() as session, session.start_transaction():
            client.shop.things.insert_one({"_id": 50}, session=session)
        assert client.shop.things.count_documents({}) == 51


def test_redis_keeps_what_it_acknowledged_over_sigkill(tmp_path):
    with start_redis(tmp_path) as server, redis.Redis.from_url(server.url) as link:
        for number in range(50):
            link.rpush("queue", number)
        server.process.send_signal(signal.SIGKILL)
    with start_redis(tmp_path) as server, redis.Redis.from_url(server.url) as link:
        assert link.llen("queue") == 50


def test_both_secantus_servers_read_the_same_files(tmp_path):
    for number, programs in enumerate((RS, PY, RS)):
        with start_store(tmp_path, programs=programs) as server, MongoClient(server.url) as client:
            assert programs[0] in server.name
            assert client.shop.things.count_documents({}) == number
            client.shop.things.insert_one({})


def test_store_ignores_settings_that_lie_about_on_the_machine(tmp_path, monkeypatch):
    (tmp_path / "secantusd.toml").write_text("[server]\nauth = true\n")
    monkeypatch.chdir(tmp_path)
    with start_store(tmp_path / "store") as server, MongoClient(server.url) as client:
        client.shop.things.insert_one({})


def test_store_of_another_program_is_never_passed_over(tmp_path):
    (tmp_path / "mongod").mkdir()
    with pytest.raises(StartError, match="is mongod's, which is not installed any more"):
        start_store(tmp_path, programs=RS + PY)


@pytest.mark.parametrize(("begin", "name"), [(start_store, "STORE"), (start_redis, "REDIS")])
def test_busy_port(tmp_path, begin, name):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"127.0.0.1:{port} is in use by another program; .*QINGXU_{name}_PORT"):
            begin(tmp_path, port)


@pytest.mark.parametrize("begin", [start_store, start_redis])
def test_folder_that_cannot_be_made(tmp_path, begin):
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match=r"cannot use .*Not a directory"):
        begin(tmp_path / "file" / "folder")


def test_damaged_store(tmp_path):
    start_store(tmp_path, programs=RS).stop()
    for file in (tmp_path / "secantusdb").glob("WiredTiger*"):
        file.write_bytes(b"nonsense" * 100)
    with pytest.raises(StartError, match=r"SecantusDB .* does not start in .* \(log: .*server.log\)"):
        start_store(tmp_path, programs=RS)


def test_disk_that_fills_up_is_named(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24M", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    try:
        with start_store(disk, programs=RS) as server, MongoClient(server.url) as client:
            assert server.fault() == ""
            with pytest.raises(Exception, match=r"No space left|panic"):
                for _ in range(60):
                    client.shop.things.insert_one({"photo": os.urandom(1_000_000)})
            deadline = time.monotonic() + 10
            while not server.fault() and server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            assert server.process.poll() is not None or server.fault() == "the disk is full"
        with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(4096))
        with pytest.raises(StartError, match="the disk is full"):
            start_store(disk, programs=RS)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def starter(tmp_path: Path, code: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Run Python code in another process; it prints pids and then waits."""
    script = (
        "import signal, sys, time\nfrom pathlib import Path\nfrom backend.embedded import *\n"
        f"home = Path({str(tmp_path)!r})\n{code}\nprint(*pids, flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, [int(pid) for pid in process.stdout.readline().split()]


def test_servers_end_with_whoever_started_them(tmp_path):
    code = "pids = [start_store(home / 'a').process.pid, start_redis(home / 'b').process.pid]"
    process, pids = starter(tmp_path, code)
    assert all(map(alive, pids))
    process.kill()
    process.communicate()
    assert all(map(wait_until_gone, pids))


def test_leftover_that_does_not_want_to_end_is_ended_unless_its_starter_lives(tmp_path):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    process, pids = starter(tmp_path, f"pids = [spawn([sys.executable, '-c', {stubborn!r}], home, 'it').pid]")
    note = (tmp_path / "it.pid").read_text()
    time.sleep(0.5)
    assert end_leftover(tmp_path, "it", 0.2)
    assert alive(pids[0])
    (tmp_path / "it.pid").write_text(note)
    process.kill()
    process.communicate()
    time.sleep(0.3)
    assert alive(pids[0])
    assert end_leftover(tmp_path, "it", 0.2)
    assert wait_until_gone(pids[0], 2)
    assert not end_leftover(tmp_path, "it")


def test_mongod_on_the_path_comes_first(tmp_path, monkeypatch):
    """No mongod can be had here, so SecantusDB plays one that is the primary of its set already."""
    stand_in = tmp_path / "bin" / "mongod"
    stand_in.parent.mkdir()
    real = shutil.which("secantusd-rs", path=str(Path(sys.executable).parent)) or shutil.which("secantusd-rs")
    stand_in.write_text(
        "#!/bin/sh\n"
        f'[ "$1 $2 $3 $5 $7 $8" = "--bind_ip 127.0.0.1 --port --dbpath --replSet qingxu" ] || exit 2\n'
        f'exec {real} --port "$4" --storage-path "$6"\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in.parent}:{os.environ['PATH']}")
    with start_store(tmp_path / "store") as server, MongoClient(server.url) as client:
        assert server.name == "MongoDB (mongod)"
        assert client.admin.command("hello")["isWritablePrimary"]
    start_store(tmp_path / "other", programs=RS).stop()
    with start_store(tmp_path / "other") as server:
        assert server.name == "SecantusDB (secantusd-rs)"
