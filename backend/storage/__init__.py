"""MongoDB: the connection, transactions, the bases of all records, and migrations."""

from backend.storage.connection import UNREACHABLE, client, connect, database, disconnect, store_name
from backend.storage.records import LOCAL_ZONE, PlacedRecord, Record, ensure_indexes, utcnow
from backend.storage.transactions import (
    DUPLICATE_KEY,
    after_commit,
    atomically,
    in_transaction,
    insert_later,
    settle,
    upsert_later,
)

__all__ = [
    "DUPLICATE_KEY",
    "LOCAL_ZONE",
    "UNREACHABLE",
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
    "upsert_later",
    "utcnow",
]
