"""Key rotation: new versions of the field and blob keys, and all that they sealed sealed again with them.

What is sealed again are the encrypted fields of documents, and the wrapped keys of blobs: a blob's bytes stay as they
are, under the key of its own.

The journal in `key_rotations` says which version is being made and how far each collection is, so a rotation that was
killed goes on where it stopped. A value is replaced only where the old ciphertext still lies, so a change made
meanwhile is never overwritten. Old versions stay readable throughout and after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from mongoengine import Document
from pymongo import UpdateOne
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from backend import settings, storage
from backend.protection import keys
from backend.protection.cipher import TamperedError, is_sealed_by, open_sealed, seal
from backend.protection.fields import encrypted_fields, place_of
from backend.protection.keys import BLOB, FIELD, UnknownKeyVersion

#: So many unreadable fields are named at most.
SHOWN = 100

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: the field key's new version, what this run sealed again, what could not be opened.

    With unreadable fields the old versions are not marked as retired.
    """

    version: int
    changed: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """Sealed bytes in the field of a collection; `place` makes the associated bytes from the fields in `needs`."""

    collection: str
    field: str
    place: Callable[[Mapping[str, Any]], bytes]
    needs: tuple[str, ...] = ()
    purpose: str = BLOB


def rotate_keys(
    documents: Iterable[type[Document]],
    *,
    sealed: Iterable[Sealed] = (),
    tell: Tell = lambda _: None,
    batch_size: int = 500,
    settle_seconds: float = keys.REFRESH_SECONDS + 5,
) -> Rotation:
    """Seal the encrypted fields of `documents`, and `sealed`, with new key versions and the cipher of the settings.

    Goes over all records until nothing sealed otherwise is found. The later passes wait until `settle_seconds` after
    the new versions were made: by then every process writes with them. Raises MasterKeyError.
    """
    shelves = _shelves([*_fields_of(documents), *sealed])
    journal = _begun({FIELD, *(each.purpose for shelf in shelves.values() for each in shelf)})
    versions, cipher = journal["versions"], journal["cipher"]
    for purpose, version in versions.items():
        keys.ensure_version(purpose, version)
    tell(f"数据密钥第 {versions[FIELD]} 版，算法 {cipher}，共 {len(shelves)} 个集合。")
    changed = 0
    while True:
        for name, shelf in shelves.items():
            for step in _steps(name, shelf, journal, batch_size):
                changed += step
                tell(f"{name}：已检查 {journal['examined'].get(name, 0)} 条，本次重新加密 {changed} 个字段。")
        if journal["pass"] > 1 and not journal["stale"]:
            break
        _settle(versions, settle_seconds, tell)
        journal |= _pass(journal["pass"] + 1)
        _note(journal)
    unreadable = tuple(journal["unreadable"])
    if not unreadable:
        for purpose, version in versions.items():
            keys.retire(purpose, below=version)
    _note(journal | {"finished_at": storage.utcnow()})
    return Rotation(versions[FIELD], changed, unreadable)


def _begun(purposes: Iterable[str] = (FIELD,)) -> dict[str, Any]:
    """Return the journal of the unfinished rotation, or begin one; several processes get the same."""
    chosen = settings.current().cipher
    journal = _journals().find_one({"finished_at": None})
    if journal is None:
        versions = {purpose: _next_version(purpose) for purpose in purposes}
        journal = {"_id": f"{FIELD}:{versions[FIELD]}", "versions": versions, "cipher": chosen, **_pass(1)}
        journal |= {"started_at": storage.utcnow(), "finished_at": None}
        try:
            _journals().insert_one(journal)
        except DuplicateKeyError:
            return _begun(purposes)
    more = {purpose: _next_version(purpose) for purpose in set(purposes) - journal["versions"].keys()}
    if more or journal["cipher"] != chosen:  # the setting was changed while the rotation stood still
        journal |= {"cipher": chosen, "versions": journal["versions"] | more, **_pass(1)}
        _note(journal)
    return journal


def _next_version(purpose: str) -> int:
    keys.current_key(purpose)
    return int(keys.versions(purpose)[-1]["version"]) + 1


def _pass(number: int) -> dict[str, Any]:
    """Return the journal's part that begins anew with each pass: by collection, the last _id and how many records."""
    return {"pass": number, "stale": 0, "unreadable": [], "positions": {}, "examined": {}}


def _steps(name: str, shelf: list[Sealed], journal: dict[str, Any], batch_size: int) -> Iterator[int]:
    """Go over one collection in _id order from where the journal stands; yield the changes of each noted batch."""
    collection = storage.database()[name]
    position = journal["positions"].get(name)
    query = {} if position is None else {"_id": {"$gt": position}}
    wanted = {field for each in shelf for field in (each.field, *each.needs)}
    rows = collection.find(query, dict.fromkeys(wanted, 1)).sort("_id").batch_size(batch_size)
    while batch := list(islice(rows, batch_size)):
        updates = []
        for row in batch:
            for each in shelf:
                old = row.get(each.field)
                if old is None or is_sealed_by(old, journal["versions"][each.purpose], journal["cipher"]):
                    continue
                place = each.place(row)
                try:
                    plain = open_sealed(old, place, each.purpose)
                except (TamperedError, UnknownKeyVersion) as error:
                    said = f"{name} {row['_id']} {each.field}: {error}"
                    journal["unreadable"] = [*journal["unreadable"], said][:SHOWN]
                    continue
                new = seal(plain, place, each.purpose)
                updates.append(UpdateOne({"_id": row["_id"], each.field: old}, {"$set": {each.field: new}}))
        changed = collection.bulk_write(updates, ordered=False).modified_count if updates else 0
        journal["stale"] += len(updates)
        journal["positions"][name] = batch[-1]["_id"]
        journal["examined"][name] = journal["examined"].get(name, 0) + len(batch)
        _note(journal)
        yield changed


def _settle(versions: Mapping[str, int], seconds: float, tell: Tell) -> None:
    """Wait until every process must have seen the new versions."""
    made = max(
        row["created_at"]
        for purpose, version in versions.items()
        for row in keys.versions(purpose)
        if row["version"] == version
    )
    wait = (made + timedelta(seconds=seconds) - storage.utcnow()).total_seconds()
    if wait > 0:
        tell(f"等待 {wait:.0f} 秒，让所有进程改用新密钥，然后复查。")
        time.sleep(wait)


def _fields_of(documents: Iterable[type[Document]]) -> Iterator[Sealed]:
    for document in documents:
        for stored, name in encrypted_fields(document).items():
            yield Sealed(
                collection=document._get_collection_name(),
                field=stored,
                place=lambda row, document=document, name=name: place_of(document, row["_id"], name),  # type: ignore[misc]
                purpose=FIELD,
            )


def _shelves(sealed: Iterable[Sealed]) -> dict[str, list[Sealed]]:
    """Gather what is sealed by collection: documents of one family share theirs."""
    shelves: dict[str, dict[str, Sealed]] = {}
    for each in sealed:
        shelves.setdefault(each.collection, {})[each.field] = each
    return {name: list(shelf.values()) for name, shelf in sorted(shelves.items())}


def _journals() -> Collection[dict[str, Any]]:
    return storage.database()["key_rotations"]


def _note(journal: dict[str, Any]) -> None:
    _journals().replace_one({"_id": journal["_id"]}, journal)
