"""Encrypted fields against pymongo's explicit client-side field encryption, one thread, on the same store.

The promise is made for the like of the peer, a value encrypted and decrypted explicitly, here with its binding to a
record and field. What a document's attribute costs on top, change tracking included, is told against the peer's bare
call; SM4-GCM likewise.
"""

from __future__ import annotations

import base64
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bson import CodecOptions
from pymongo.encryption import Algorithm, ClientEncryption

from backend import settings, storage
from backend.embedded import start_store
from backend.protection import EncryptedStringField, decrypt_field, encrypt_field
from backend.storage import Record
from tests.benchmarks.ratio import Ratio, medians

PROMISED = {("AES-256-GCM", "encrypt"), ("AES-256-GCM", "decrypt")}
ROUNDS = 21
CALLS = 2000

Work = Callable[[str], object]


class Person(Record):
    """A record with one private field."""

    meta = {"collection": "benchmark_people"}

    phone = EncryptedStringField(max_length=20)


def measure() -> Iterator[Ratio]:
    """Measure each direction with each cipher."""
    with tempfile.TemporaryDirectory() as folder, start_store(Path(folder)) as server:
        storage.connect(server.url, "benchmark")
        master = base64.b64encode(os.urandom(32)).decode()
        with client_side() as peer:
            for cipher in ("AES-256-GCM", "SM4-GCM"):
                yield from compare(cipher, master, peer)
        storage.disconnect()


def compare(cipher: str, master: str, peer: ClientEncryption) -> Iterator[Ratio]:
    """Measure one cipher of ours; the peer has only its own."""
    settings.configure(settings.Settings(mongodb_url="set", master_key=master, cipher=cipher))
    person, loaded = Person(), stored(Person(phone="13812345678"))
    row = next(Person.objects(id=loaded.id).as_pymongo())
    key = peer.create_data_key("local")
    sealed = peer.encrypt("13812345678", Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, key)

    def encrypt_there(text: str) -> object:
        return peer.encrypt(text, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, key)

    def decrypt_there(_: str) -> object:
        return peer.decrypt(sealed)

    works: dict[str, tuple[Work, Work]] = {
        "encrypt": (lambda text: encrypt_field(Person, row["_id"], "phone", text), encrypt_there),
        "decrypt": (lambda _: decrypt_field(Person, row["_id"], "phone", row["phone"]), decrypt_there),
        "write the attribute": (lambda text: setattr(person, "phone", text), encrypt_there),
        "read the attribute": (lambda _: loaded.phone, decrypt_there),
    }
    for name, (ours, theirs) in works.items():
        mine, other, ratio = medians(*interleaved([ours, theirs]))
        yield Ratio(
            name=f"encrypted field, {cipher}, {name}",
            ours=f"{mine:,.0f}/s",
            peer=f"pymongo {other:,.0f}/s",
            ratio=ratio,
            at_least=10 if (cipher, name) in PROMISED else None,
        )


def stored(person: Person) -> Person:
    """Return the record as a query gives it."""
    person.save()
    loaded: Person = Person.objects.get(id=person.id)
    return loaded


def client_side() -> ClientEncryption:
    """Return the peer, with its key vault in the same store."""
    providers = {"local": {"key": os.urandom(96)}}
    return ClientEncryption(providers, "benchmark.vault", storage.client(), CodecOptions())


def interleaved(works: list[Work]) -> list[list[float]]:
    """Return the calls per second of CPU of each work in each round, taken in turns; every text differs."""
    rates: list[list[float]] = [[] for _ in works]
    for number in range(ROUNDS):
        texts = [f"138{number:02d}{each:06d}" for each in range(CALLS)]
        for work, measured in zip(works, rates, strict=True):
            started = time.process_time()
            for text in texts:
                work(text)
            measured.append(CALLS / (time.process_time() - started))
    return rates
