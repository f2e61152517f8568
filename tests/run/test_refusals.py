"""What cannot work is said in one sentence, with what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess

import pytest

from backend.embedded.process import free_port


@pytest.fixture
def busy_port():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("setting", ["port", "store_port", "redis_port"])
def test_busy_port(refused, busy_port, setting):
    sentence = refused(**{setting: busy_port})
    assert f"127.0.0.1:{busy_port} is in use by another program; choose another" in sentence
    assert f"QINGXU_{setting.upper()}" in sentence


def test_host_of_another_machine(refused):
    assert "203.0.113.7:8000 is not an address of this machine" in refused(host="203.0.113.7", port=8000)


def test_folder_of_another_user(refused, tmp_path):
    data = tmp_path / "data"
    data.mkdir(mode=0o500)
    wrapper = ()
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root may write everywhere, and setpriv is not there to take that away")
        wrapper = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
    sentence = refused(data, wrapper=wrapper)
    assert "may not be written by this user (Permission denied)" in sentence
    assert str(data) in sentence


def test_data_folder_that_is_a_file(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "is not a folder; choose another folder with QINGXU_DATA_DIR" in refused(tmp_path / "file")


def test_folder_with_other_files(refused, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").touch()
    assert "is not empty and not a data folder of Qingxu" in refused(tmp_path / "photos")
    assert [file.name for file in (tmp_path / "photos").iterdir()] == ["1.jpg"]


def about(folder, **changes):
    folder.mkdir()
    facts = {"format": 1, "version": "0.1.0", "mode": "demo", "prepared": True, **changes}
    (folder / "about.json").write_text(json.dumps(facts))
    return folder


def test_folder_of_a_newer_version(refused, tmp_path):
    sentence = refused(about(tmp_path / "data", format=99, version="9.1.0"))
    assert "was written by Qingxu 9.1.0, which is newer than this one" in sentence


def test_folder_of_the_other_mode(refused, tmp_path):
    sentence = refused(about(tmp_path / "data"), mode="production", master_key="A" * 43 + "=")
    assert "was made in demo mode and is not used in production mode" in sentence


def test_damaged_folder(refused, tmp_path):
    about(tmp_path / "data")
    (tmp_path / "data" / "about.json").write_text('{"format"')
    assert "about.json is damaged" in refused(tmp_path / "data")


def test_lost_secrets(refused, tmp_path):
    assert "secrets is missing, and without it the private data" in refused(about(tmp_path / "data"))


def test_data_of_a_store_that_is_not_installed(refused, tmp_path):
    if shutil.which("mongod"):
        pytest.skip("mongod is installed")
    (tmp_path / "data" / "store" / "mongod").mkdir(parents=True)
    (tmp_path / "data" / "about.json").write_text(json.dumps({"format": 1, "mode": "demo", "prepared": True}))
    (tmp_path / "data" / "secrets").write_text("QINGXU_MASTER_KEY=" + "A" * 43 + "=\n")
    assert "is mongod's, which is not installed any more" in refused(tmp_path / "data")


def test_folder_in_use(start):
    run = start().ready()
    second = start(run.data)
    assert second.process.wait(20) == 1
    assert f"is in use by a platform that is running (process {run.process.pid})" in second.output
    assert run.fetch()


def test_production_needs_a_key(refused):
    assert "QINGXU_MASTER_KEY is not set: production needs 32 bytes in base64" in refused(mode="production")


def test_unreachable_mongodb(refused):
    port = free_port()
    sentence = refused(mongodb_url=f"mongodb://someone:hidden@127.0.0.1:{port}/")
    assert f"MongoDB does not answer at 127.0.0.1:{port}: start it, or correct QINGXU_MONGODB_URL" in sentence
    assert "hidden" not in sentence


@pytest.mark.parametrize("url", ["localhost:27017", "mongodb://", "http://127.0.0.1:27017"])
def test_address_that_is_none_of_mongodb(refused, url):
    assert "QINGXU_MONGODB_URL is not an address of MongoDB" in refused(mongodb_url=url)


def test_unreachable_redis(refused):
    port = free_port()
    sentence = refused(redis_url=f"redis://:hidden@127.0.0.1:{port}/0")
    assert f"Redis does not answer at 127.0.0.1:{port}: start it, or correct QINGXU_REDIS_URL" in sentence
    assert "hidden" not in sentence


def test_address_that_is_none_of_redis(refused):
    assert "QINGXU_REDIS_URL is not an address of Redis" in refused(redis_url="localhost:6379")


def test_setting_that_cannot_be_read(refused):
    assert "QINGXU_WEB_THREADS cannot be read" in refused(web_threads="many")


def test_given_servers_are_used(start, store):
    run = start(mongodb_url=store.mongodb_url, redis_url=store.redis_url, mongodb_database="given").ready()
    assert run.fetch() == store.mongodb_url
    assert {"store", "redis"}.isdisjoint(run.children())
    assert "(from QINGXU_MONGODB_URL)" in run.output
    assert run.stop() == 0


def test_disk_that_is_full_before_the_start(refused, small_disk):
    disk = small_disk(20)
    assert f"The disk of {disk / 'data'} is full (20 MB left, 300 needed): make room" in refused(disk / "data")


def test_disk_that_is_full_in_the_middle_of_the_demo(refused, start, small_disk):
    disk = small_disk(400)
    sentence = refused(disk / "data", TEST_FILL_DISK=disk / "filler", seconds=60)
    assert "the disk is full" in sentence
    (disk / "filler").unlink()
    run = start(disk / "data").ready()
    assert "The first start was interrupted" in run.output


def test_limit_on_file_sizes(refused):
    prlimit = shutil.which("prlimit")
    if not prlimit or subprocess.run([prlimit, "--fsize=1000", "true"], capture_output=True).returncode:
        pytest.skip("prlimit is not there")
    assert "is full" in refused(wrapper=(prlimit, "--fsize=1000"))
