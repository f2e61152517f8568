"""Blobs in an S3-compatible service: the same promises, over a real HTTP server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto.server import ThreadedMotoServer

from backend import blobs, protection, settings, storage
from backend.settings import Settings

pytestmark = pytest.mark.usefixtures("bucket")
SPACE = "33"
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


def test_a_bucket_that_is_not_there_is_named(clean: Settings, service: str) -> None:
    configured(clean, service, "s3://nowhere")
    with pytest.raises(blobs.BlobStoreUnavailable):
        blobs.put(b"x", media_type="image/png", space=SPACE)
    assert storage.database()["blobs"].count_documents({}) == 0
