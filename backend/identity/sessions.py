"""Login, refresh and logout."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId

from backend import settings
from backend.identity.attempts import count_attempt, forget_attempts
from backend.identity.errors import (
    AccountDisabled,
    AccountLocked,
    IdentityError,
    NotFound,
    RefreshRefused,
    WrongCredentials,
)
from backend.identity.models import Session, User, is_account, normal_account
from backend.identity.passwords import hash_password, is_outdated, nobodys_password, password_fits
from backend.identity.resolving import digest
from backend.protection import audit
from backend.storage import atomically, utcnow

TOKEN_BYTES = 32
FAMILY_LENGTH = 22  # 16 random bytes in base64


@dataclass(frozen=True)
class Tokens:
    """What a login hands out; a page's session has no refresh token."""

    session: ObjectId
    user: ObjectId
    access: str
    refresh: str
    access_expires_at: datetime
    must_change_password: bool


@dataclass(frozen=True)
class Client:
    """Where a login comes from."""

    address: str = ""
    user_agent: str = ""


def log_in(account: str, password: str, client: Client, *, for_pages: bool = False) -> Tokens:
    """Open a session; raises WrongCredentials, AccountLocked or AccountDisabled.

    An unknown account is treated like a known one in every step, so that neither the answer nor the time tells.
    """
    account = normal_account(account)
    user = _find_login(account)
    try:
        count_attempt(account)
        fits = password_fits(password, user["password"] if user else nobodys_password())
        if user is None or not fits:
            raise WrongCredentials
        forget_attempts(account)
        if not user["active"]:
            raise AccountDisabled
        if is_outdated(user["password"]):
            user["password"] = _hash_anew(user, password)
        return atomically(lambda: _open_session(user, client, for_pages))
    except (AccountLocked, AccountDisabled, WrongCredentials) as refusal:
        _audit_refusal(user, refusal)
        raise


def refresh(token: str) -> Tokens:
    """Exchange a refresh token for new tokens; raises RefreshRefused.

    All refresh tokens of a session begin with the same secret. One that begins right but is not the latest was used
    before: it has been copied, so the session ends.
    """
    now = utcnow()
    family = digest(token[:FAMILY_LENGTH])
    access, fresh = _new_token(), token[:FAMILY_LENGTH] + _new_token()
    expiry = now + timedelta(minutes=settings.current().session_minutes)
    session = Session._get_collection().find_one_and_update(
        {"family": family, "refresh": digest(token), "expires_at": {"$gt": now}},
        {
            "$set": {
                "access": digest(access),
                "refresh": digest(fresh),
                "access_expires_at": expiry,
                "expires_at": now + timedelta(hours=settings.current().refresh_hours),
                "last_used_at": now,
            }
        },
    )
    if session is None:
        if (copied := Session.objects(family=family).first()) is not None:
            with suppress(NotFound):  # ended by itself in the meantime
                end_session(copied.id, action="platform.session.reuse")
        raise RefreshRefused
    user = User.objects(id=session["user"], active=True).only("must_change_password").first()
    if user is None:
        raise RefreshRefused
    return Tokens(session["_id"], user.id, access, fresh, expiry, user.must_change_password)


def end_session(session: ObjectId, *, action: str = "platform.session.end") -> None:
    """End a session at once, its access and refresh tokens with it; raises NotFound."""

    def work() -> None:
        ended = Session._get_collection().find_one_and_delete({"_id": session})
        if ended is None:
            raise NotFound
        audit.record(action, subject="user", subject_id=str(ended["user"]), detail={"session": str(session)})

    atomically(work)


def end_sessions_of(user: ObjectId, *, but: ObjectId | None = None) -> int:
    """End all sessions of a person, or all but one; returns how many."""
    return int(Session.objects(user=user, id__ne=but).delete())


def sessions_of(user: ObjectId) -> list[Session]:
    """Return the person's sessions that are still good, last used first."""
    return list(Session.objects(user=user, expires_at__gt=utcnow()).order_by("-last_used_at"))


def _find_login(account: str) -> dict[str, Any] | None:
    # Past MongoEngine, for building an object would tell a known account from an unknown one by the time it takes.
    if not is_account(account):
        return None
    fields = {"password": 1, "active": 1, "area": 1, "must_change_password": 1}
    return User._get_collection().find_one({"account": account}, fields)


def _hash_anew(user: dict[str, Any], password: str) -> str:
    fresh = hash_password(password)
    User._get_collection().update_one({"_id": user["_id"], "password": user["password"]}, {"$set": {"password": fresh}})
    return fresh


def _open_session(user: dict[str, Any], client: Client, for_pages: bool) -> Tokens:
    chosen, now = settings.current(), utcnow()
    access = _new_token()
    expiry = now + timedelta(minutes=chosen.session_minutes)
    session = Session(
        user=user["_id"],
        access=digest(access),
        access_expires_at=expiry,
        expires_at=expiry,
        last_used_at=now,
        address=client.address[:64],
        user_agent=client.user_agent[:300],
    )
    fresh = ""
    if not for_pages:
        family = secrets.token_urlsafe(16)
        fresh = family + _new_token()
        session.family, session.refresh = digest(family), digest(fresh)
        session.expires_at = now + timedelta(hours=chosen.refresh_hours)
    # Writing to the person makes this collide with a change of the password or a disabling at the same moment.
    unchanged = {"_id": user["_id"], "password": user["password"], "active": True}
    if not User._get_collection().update_one(unchanged, {"$set": {"last_login_at": now}}).matched_count:
        raise WrongCredentials
    session.save(force_insert=True)
    audit.record(
        "platform.session.open",
        subject="user",
        subject_id=str(user["_id"]),
        area=user["area"],
        detail={"session": str(session.id)},
    )
    return Tokens(session.id, user["_id"], access, fresh, expiry, user["must_change_password"])


def _audit_refusal(user: dict[str, Any] | None, refusal: IdentityError) -> None:
    audit.record(
        "platform.session.refuse",
        subject="user",
        subject_id=str(user["_id"]) if user else "",
        area=user["area"] if user else "",
        detail={"reason": refusal.code},
    )


def _new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)
