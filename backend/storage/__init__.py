"""MongoDB: the connection, transactions, the bases of all records, and migrations."""

from backend.storage.connection import UNREACHABLE, client, connect, database, disconnect, store_name
from backend.storage.records import LOCAL_ZONE, PlacedRecord, Record, ensure_indexes, utcnow
from backend.storage.transactions import (
    DUPLICATE_KEY,
    NothingMatched,
    after_commit,
    atomically,
    in_transaction,
    insert_later,
    settle,
    update_later,
    upsert_later,
)

__all__ = [
    "DUPLICATE_KEY",
    "LOCAL_ZONE",
    "UNREACHABLE",
    "NothingMatched",
    "PlacedRecord",
    "Record",
    "after_commit",
    "atomically",
    "client",
    "connect",
    "database",
    "disconnect",
    "ensure_indexes",
    "in_transaction",
    "insert_later",
    "settle",
    "store_name",
    "update_later",
    "upsert_later",
    "utcnow",
]
