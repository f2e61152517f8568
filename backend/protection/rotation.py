"""Key rotation: a new version of the field key, and every encrypted field sealed again with it.

The journal in `key_rotations` says which version is being made and how far each collection is, so a rotation that was
killed goes on where it stopped. A value is replaced only where the old ciphertext still lies, so a change made
meanwhile is never overwritten. Old versions stay readable throughout and after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
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
from backend.protection.cipher import TamperedError, is_sealed_by
from backend.protection.fields import decrypt_field, encrypt_field, encrypted_fields
from backend.protection.keys import FIELD, UnknownKeyVersion

#: So many unreadable fields are named at most.
SHOWN = 100

Tell = Callable[[str], object]


@dataclass(frozen=True)
class Rotation:
    """What a rotation did: the new version, fields sealed again by this run, and those that could not be opened.

    With unreadable fields the old versions are not marked as retired.
    """

    version: int
    changed: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class _Shelf:
    """One collection and its encrypted fields (name in the store -> owner and attribute)."""

    collection: Collection[dict[str, Any]]
    fields: dict[str, tuple[type[Document], str]]


def rotate_keys(
    documents: Iterable[type[Document]],
    *,
    tell: Tell = lambda _: None,
    batch_size: int = 500,
    settle_seconds: float = keys.REFRESH_SECONDS + 5,
) -> Rotation:
    """Seal every encrypted field of `documents` with a new key version and the cipher of the settings.

    Goes over all records until nothing sealed otherwise is found. The later passes wait until `settle_seconds` after
    the new version was made: by then every process writes with it. Raises MasterKeyError.
    """
    shelves = _shelves(documents)
    journal = _begun()
    version, cipher = journal["version"], journal["cipher"]
    keys.ensure_version(FIELD, version)
    tell(f"数据密钥第 {version} 版，算法 {cipher}，共 {len(shelves)} 个集合。")
    changed = 0
    while True:
        for name, shelf in shelves.items():
            for step in _steps(shelf, name, journal, batch_size):
                changed += step
                tell(f"{name}：已检查 {journal['examined'].get(name, 0)} 条，本次重新加密 {changed} 个字段。")
        if journal["pass"] > 1 and not journal["stale"]:
            break
        _settle(version, settle_seconds, tell)
        journal |= _pass(journal["pass"] + 1)
        _note(journal)
    unreadable = tuple(journal["unreadable"])
    if not unreadable:
        keys.retire(FIELD, below=version)
    _note(journal | {"finished_at": storage.utcnow()})
    return Rotation(version, changed, unreadable)


def _begun() -> dict[str, Any]:
    """Return the journal of the unfinished rotation, or begin one; several processes get the same."""
    chosen = settings.current().cipher
    journal = _journals().find_one({"finished_at": None})
    if journal is None:
        keys.current_key(FIELD)
        version = keys.versions(FIELD)[-1]["version"] + 1
        journal = {"_id": f"{FIELD}:{version}", "version": version, "cipher": chosen, **_pass(1)}
        journal |= {"started_at": storage.utcnow(), "finished_at": None}
        try:
            _journals().insert_one(journal)
        except DuplicateKeyError:
            return _begun()
    if journal["cipher"] != chosen:  # the setting was changed while the rotation stood still
        journal |= {"cipher": chosen, **_pass(1)}
        _note(journal)
    return journal


def _pass(number: int) -> dict[str, Any]:
    """Return the journal's part that begins anew with each pass: by collection, the last _id and how many records."""
    return {"pass": number, "stale": 0, "unreadable": [], "positions": {}, "examined": {}}


def _steps(shelf: _Shelf, name: str, journal: dict[str, Any], batch_size: int) -> Iterator[int]:
    """Go over one collection in _id order from where the journal stands; yield the changes of each noted batch."""
    position = journal["positions"].get(name)
    query = {} if position is None else {"_id": {"$gt": position}}
    rows = shelf.collection.find(query, dict.fromkeys(shelf.fields, 1)).sort("_id").batch_size(batch_size)
    while batch := list(islice(rows, batch_size)):
        updates = []
        for row in batch:
            for stored_name, (owner, attribute) in shelf.fields.items():
                old = row.get(stored_name)
                if old is None or is_sealed_by(old, journal["version"], journal["cipher"]):
                    continue
                try:
                    plain = decrypt_field(owner, row["_id"], attribute, old)
                except (TamperedError, UnknownKeyVersion) as error:
                    journal["unreadable"] = [*journal["unreadable"], str(error)][:SHOWN]
                    continue
                new = encrypt_field(owner, row["_id"], attribute, plain)
                updates.append(UpdateOne({"_id": row["_id"], stored_name: old}, {"$set": {stored_name: new}}))
        changed = shelf.collection.bulk_write(updates, ordered=False).modified_count if updates else 0
        journal["stale"] += len(updates)
        journal["positions"][name] = batch[-1]["_id"]
        journal["examined"][name] = journal["examined"].get(name, 0) + len(batch)
        _note(journal)
        yield changed


def _settle(version: int, seconds: float, tell: Tell) -> None:
    """Wait until every process must have seen the new version."""
    made = next(row["created_at"] for row in keys.versions(FIELD) if row["version"] == version)
    wait = (made + timedelta(seconds=seconds) - storage.utcnow()).total_seconds()
    if wait > 0:
        tell(f"等待 {wait:.0f} 秒，让所有进程改用新密钥，然后复查。")
        time.sleep(wait)


def _shelves(documents: Iterable[type[Document]]) -> dict[str, _Shelf]:
    """Gather the encrypted fields by collection: documents of one family share theirs."""
    shelves: dict[str, _Shelf] = {}
    for document in documents:
        fields = {stored: (document, name) for stored, name in encrypted_fields(document).items()}
        if fields:
            collection = storage.database()[document._get_collection_name()]
            shelf = shelves.setdefault(collection.name, _Shelf(collection, {}))
            shelf.fields.update(fields)
    return dict(sorted(shelves.items()))


def _journals() -> Collection[dict[str, Any]]:
    return storage.database()["key_rotations"]


def _note(journal: dict[str, Any]) -> None:
    _journals().replace_one({"_id": journal["_id"]}, journal)
