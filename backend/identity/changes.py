"""How every record of identity is changed: one transaction with a check of its version and an audit entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bson import ObjectId
from mongoengine.errors import NotUniqueError, OperationError, SaveConditionError, ValidationError

from backend.identity.errors import IdentityError, Invalid, NotFound, Stale, Taken
from backend.protection import audit
from backend.storage import Record, atomically, utcnow

R = TypeVar("R", bound=Record)
T = TypeVar("T")


def add(record: R, action: str, detail: Mapping[str, Any] | None = None) -> R:
    """Insert a new record and audit it; raises Taken or Invalid."""

    def work() -> None:
        _save(record, force_insert=True)
        _audit(record, action, detail)

    with_plain_errors(lambda: atomically(work))
    return record


def change(
    document: type[R], id: ObjectId, version: int, apply: Callable[[R], Mapping[str, Any] | None], action: str
) -> R:
    """Load the record, let `apply` change it and return the audit detail, save and audit it.

    Raises NotFound, Stale when the record has another version by now, Taken, Invalid and whatever `apply` raises.
    """

    def work() -> R:
        # Read inside the transaction: it may run again, and then from a fresh record.
        record = document.objects(id=id).first()
        if record is None:
            raise NotFound
        if record.version != version:
            raise Stale
        detail = apply(record)
        record.version, record.updated_at = version + 1, utcnow()
        _save(record, save_condition={"version": version})
        _audit(record, action, detail)
        return record

    return with_plain_errors(lambda: atomically(work))


def remove(record: Record, action: str, detail: Mapping[str, Any] | None = None) -> None:
    """Delete a record and audit it; raises Stale when it has another version by now."""

    def work() -> None:
        if not type(record).objects(id=record.id, version=record.version).delete():
            raise Stale
        _audit(record, action, detail)

    atomically(work)


def with_plain_errors(work: Callable[[], T]) -> T:
    """Run `work`, and say what MongoEngine refuses in identity's words."""
    try:
        return work()
    except IdentityError:
        raise
    except NotUniqueError as error:
        raise Taken from error
    except SaveConditionError as error:
        raise Stale from error
    except ValidationError as error:
        raise Invalid(fields={name: ["内容不符合要求。"] for name in error.to_dict()}) from error


def _save(record: Record, **options: Any) -> None:
    try:
        record.save(**options)
    except (NotUniqueError, SaveConditionError):
        raise
    except OperationError as error:
        # MongoEngine hides what the store said, and that alone tells the transaction to try again.
        raise error.__context__ or error from None


def _audit(record: Record, action: str, detail: Mapping[str, Any] | None) -> None:
    area = getattr(record, "area", "") or getattr(record, "path", "")
    audit.record(action, subject=type(record).__name__.lower(), subject_id=str(record.id), area=area, detail=detail)
