"""Login, refresh and logout; and who stands behind a token."""

from __future__ import annotations

import hashlib
import secrets
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
    NotLoggedIn,
    RefreshRefused,
    WrongCredentials,
)
from backend.identity.models import ModuleSwitch, Role, Session, User, is_account, normal_account
from backend.identity.passwords import hash_password, is_outdated, nobodys_password, password_fits
from backend.identity.principal import HeldGrant, Principal
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
    family = _digest(token[:FAMILY_LENGTH])
    access, fresh = _new_token(), token[:FAMILY_LENGTH] + _new_token()
    expiry = now + timedelta(minutes=settings.current().session_minutes)
    session = Session._get_collection().find_one_and_update(
        {"family": family, "refresh": _digest(token), "expires_at": {"$gt": now}},
        {
            "$set": {
                "access": _digest(access),
                "refresh": _digest(fresh),
                "access_expires_at": expiry,
                "expires_at": now + timedelta(hours=settings.current().refresh_hours),
                "last_used_at": now,
            }
        },
    )
    if session is None:
        if (stolen := Session.objects(family=family).first()) is not None:
            end_session(stolen.id, action="platform.session.reuse")
        raise RefreshRefused
    user = User.objects(id=session["user"], active=True).only("must_change_password").first()
    if user is None:
        raise RefreshRefused
    return Tokens(session["_id"], user.id, access, fresh, expiry, user.must_change_password)


def find_principal(token: str) -> Principal:
    """Return who holds an access token; raises NotLoggedIn.

    One round trip: session, user, his roles and the module switches together, so that every change of any of them
    counts from the next request on and nothing has to be cached or told to other processes.
    """
    now = utcnow()
    rows = list(Session._get_collection().aggregate([{"$match": {"access": _digest(token)}}, *_WITH_PERSON]))
    if not rows or rows[0]["access_expires_at"] <= now or rows[0]["expires_at"] <= now:
        raise NotLoggedIn
    (session,) = rows
    user = next(iter(session["person"]), None)
    if user is None or not user["active"]:
        raise NotLoggedIn
    _touch(session, now)
    permissions = {role["name"]: frozenset(role["permissions"]) for role in session["roles"]}
    switches: dict[str, dict[str, bool]] = {}
    for switch in session["switches"]:
        switches.setdefault(switch["module"], {})[switch["area"]] = switch["enabled"]
    return Principal(
        id=user["_id"],
        account=user["account"],
        name=user["name"],
        user_type=user["user_type"],
        area=user["area"],
        organisation=user.get("organisation"),
        grants=tuple(
            HeldGrant(permissions[grant["role"]], grant["area"], grant.get("organisation"), grant["role"])
            for grant in user.get("grants", ())
            if grant["role"] in permissions
        ),
        session=session["_id"],
        must_change_password=user["must_change_password"],
        switches=switches,
    )


def end_session(session: ObjectId, *, action: str = "platform.session.end") -> None:
    """End a session at once, its access and refresh tokens with it; raises NotFound."""

    def work() -> None:
        record = Session.objects(id=session).first()
        if record is None:
            raise NotFound
        record.delete()
        audit.record(action, subject="user", subject_id=str(record.user), detail={"session": str(session)})

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
        access=_digest(access),
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
        session.family, session.refresh = _digest(family), _digest(fresh)
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


def _touch(session: dict[str, Any], now: datetime) -> None:
    """Note the use, at most once a minute; a page's session lives on by it."""
    life = timedelta(minutes=settings.current().session_minutes)
    if now - session["last_used_at"] < min(timedelta(minutes=1), life / 10):
        return
    changes = {"last_used_at": now}
    if "refresh" not in session:
        changes |= {"access_expires_at": now + life, "expires_at": now + life}
    Session._get_collection().update_one({"_id": session["_id"]}, {"$set": changes})


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


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


_WITH_PERSON: list[dict[str, Any]] = [
    {
        "$lookup": {
            "from": User._get_collection_name(),
            "localField": "user",
            "foreignField": "_id",
            "as": "person",
        }
    },
    {
        "$lookup": {
            "from": Role._get_collection_name(),
            "localField": "person.grants.role",
            "foreignField": "name",
            "as": "roles",
        }
    },
    {"$lookup": {"from": ModuleSwitch._get_collection_name(), "pipeline": [], "as": "switches"}},
    {
        "$project": {
            "refresh": 1,
            "last_used_at": 1,
            "access_expires_at": 1,
            "expires_at": 1,
            **{
                f"person.{name}": 1
                for name in (
                    "_id", "account", "name", "user_type", "area", "organisation", "grants", "active",
                    "must_change_password",
                )
            },
            "roles.name": 1,
            "roles.permissions": 1,
            "switches.module": 1,
            "switches.area": 1,
            "switches.enabled": 1,
        }
    },
]  # fmt: skip
