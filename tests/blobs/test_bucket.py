"""Blobs in an S3-compatible service: the same promises, over a real HTTP server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from backend import blobs, protection, settings, storage
from backend.blobs import uploads
from backend.blobs.objects import CHUNK_BYTES
from backend.settings import Settings
from tests.blobs.conftest import SPACE, keep

pytestmark = pytest.mark.usefixtures("bucket")
KEYS = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(clean: Settings, service: str) -> Iterator[object]:
    """Empty a bucket and keep the blobs under a prefix of it."""
    protection.forget_keys()
    s3 = boto3.resource("s3", endpoint_url=service, **KEYS)
    s3.create_bucket(Bucket="evidence")
    s3.Bucket("evidence").objects.delete()
    configured(clean, service)
    yield s3.Bucket("evidence")
    settings.configure(clean)


def configured(clean: Settings, service: str, store: str = "s3://evidence/blobs") -> None:
    chosen = {"s3_region": "us-east-1", "s3_access_key": "test", "s3_secret_key": "test"}
    settings.configure(replace(clean, blob_store=store, s3_endpoint=service, **chosen))


@pytest.mark.parametrize("size", [0, 1000, (8 << 20) - 1, 20 << 20], ids=["empty", "photo", "one part", "video"])
def test_what_is_put_is_got(bucket: object, size: int) -> None:
    content = os.urandom(size)
    blob = blobs.put(content, media_type="video/mp4", space=SPACE)
    assert blob.sha256 == hashlib.sha256(content).hexdigest()
    assert blobs.get(blob.sha256, space=SPACE) == content
    (stored,) = bucket.objects.all()  # type: ignore[attr-defined]
    assert stored.key.startswith("blobs/")
    assert content[:64] not in stored.get()["Body"].read() or size == 0


def test_a_second_put_keeps_one_object_and_heals_a_lost_one(bucket: object) -> None:
    content = os.urandom(5000)
    blob = blobs.put(content, media_type="image/png", space=SPACE)
    assert blobs.put(content, media_type="image/png", space=SPACE) == blob
    (stored,) = bucket.objects.all()  # type: ignore[attr-defined]
    stored.delete()
    with pytest.raises(blobs.BlobMissing):
        blobs.get(blob.sha256, space=SPACE)
    assert blobs.put(content, media_type="image/png", space=SPACE) == blob
    assert blobs.get(blob.sha256, space=SPACE) == content


def test_altered_bytes_are_found(bucket: object) -> None:
    blob = blobs.put(os.urandom(5000), media_type="image/png", space=SPACE)
    (stored,) = bucket.objects.all()  # type: ignore[attr-defined]
    content = bytearray(stored.get()["Body"].read())
    content[2500] ^= 1
    stored.put(Body=bytes(content))
    with pytest.raises(blobs.BlobDamaged):
        blobs.get(blob.sha256, space=SPACE)


def test_a_source_that_fails_leaves_nothing(bucket: object) -> None:
    class Broken:
        left = 90

        def read(self, size: int) -> bytes:
            self.left -= 1
            if not self.left:
                raise RuntimeError("the sender went away")
            return os.urandom(size)

    with pytest.raises(RuntimeError):
        blobs.put(Broken(), media_type="video/mp4", space=SPACE)  # type: ignore[arg-type]
    assert list(bucket.objects.all()) == []  # type: ignore[attr-defined]
    assert list(bucket.multipart_uploads.all()) == []  # type: ignore[attr-defined]
    assert storage.database()["blobs"].count_documents({}) == 0


def test_orphans_go_and_blobs_stay(bucket: object) -> None:
    blob = blobs.put(b"kept", media_type="image/png", space=SPACE)
    bucket.put_object(Key="blobs/0123", Body=b"left behind")  # type: ignore[attr-defined]
    bucket.put_object(Key="elsewhere/0123", Body=b"not ours")  # type: ignore[attr-defined]
    assert blobs.remove_orphans() == 0
    assert blobs.remove_orphans(older_than_seconds=-60) == 1
    assert blobs.get(blob.sha256, space=SPACE) == b"kept"
    assert len(list(bucket.objects.all())) == 2  # type: ignore[attr-defined]


def test_what_is_shredded_leaves_the_bucket(bucket: object) -> None:
    kept, other = keep(os.urandom(9 << 20)), keep(b"other")
    assert blobs.shred(kept.sha256, space=SPACE)
    with pytest.raises(blobs.BlobShredded):
        blobs.get(kept.sha256, space=SPACE)
    assert len(list(bucket.objects.all())) == 1  # type: ignore[attr-defined]
    assert blobs.get(other.sha256, space=SPACE) == b"other"


def test_the_scrub_finds_a_rotted_byte_behind_the_first_part(bucket: object) -> None:
    kept = keep(os.urandom(10 << 20))
    (stored,) = bucket.objects.all()  # type: ignore[attr-defined]
    content = bytearray(stored.get()["Body"].read())
    place = (9 << 20) + 12_345
    content[place] ^= 4
    stored.put(Body=bytes(content))
    blobs.scrub()
    [rotten] = blobs.scrub_status().rotten
    assert (rotten.sha256, rotten.kind, rotten.chunk) == (kept.sha256, "damaged", place // (CHUNK_BYTES + 16))
    stored.delete()
    blobs.scrub()
    assert blobs.scrub_status().rotten[0].kind == "missing"
    keep(kept.content)
    blobs.scrub()
    assert blobs.scrub_status().rotten_count == 0


def test_an_upload_goes_on_in_the_bucket(bucket: object) -> None:
    content = os.urandom(9 << 20)
    upload = uploads.append(uploads.begin("person", len(content), {}), [content[:1000]])
    upload = uploads.append(uploads.find(upload.id, "person"), [content[1000:]])
    with uploads.read_upload(upload) as file:
        assert file.read() == content
    uploads.drop_upload(upload.id)
    assert list(bucket.objects.all()) == []  # type: ignore[attr-defined]


CHILD = """
import hashlib, resource, sys
from backend import blobs, settings, storage
url, database, key, service = sys.argv[1:]
store = {"blob_store": "s3://evidence/blobs", "s3_endpoint": service, "s3_region": "us-east-1"}
store |= {"s3_access_key": "test", "s3_secret_key": "test"}
settings.configure(settings.Settings(mongodb_url=url, master_key=key, **store))
storage.connect(url, database)

class Stream:
    left = 0
    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return bytes(size)

def put(megabytes):
    stream = Stream()
    stream.left = megabytes << 20
    blob = blobs.put(stream, media_type="video/mp4", space="33")
    assert sum(map(len, blobs.open_blob(blob.sha256, space="33"))) == megabytes << 20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

print(put(24), put(104))
"""


def test_memory_does_not_grow_with_the_file(bucket: object, service: str) -> None:
    chosen = settings.current()
    given = [chosen.mongodb_url, chosen.mongodb_database, chosen.master_key, service]
    child = subprocess.run([sys.executable, "-c", CHILD, *given], capture_output=True, text=True, check=True)
    small, large = map(int, child.stdout.split())
    # A few parts of 8 MB are under way at once, how many is a matter of luck; 80 MB more go through.
    assert large - small < 40, (small, large)


def test_a_bucket_that_is_not_there_is_named(clean: Settings, service: str) -> None:
    configured(clean, service, "s3://nowhere")
    with pytest.raises(blobs.BlobStoreUnavailable):
        blobs.put(b"x", media_type="image/png", space=SPACE)
    assert storage.database()["blobs"].count_documents({}) == 0
