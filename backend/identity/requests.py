"""Who asks, in the current Flask request."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Request, g, has_request_context, request

from backend.identity.errors import ForeignOrigin, NotLoggedIn, PasswordChangeRequired
from backend.identity.principal import Principal
from backend.identity.resolving import find_principal
from backend.identity.sessions import Client

#: Holds a page's access token; HttpOnly, so that no script can read it.
COOKIE = "qingxu_session"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def current_principal(*, before_password_change: bool = False) -> Principal:
    """Return the signed-in person of this request; found once per request, in one round trip.

    Raises NotLoggedIn; ForeignOrigin; and PasswordChangeRequired while the first password stands, except where
    `before_password_change` allows that.
    """
    if not has_request_context():
        raise NotLoggedIn
    principal: Principal | None = g.get("principal")
    if principal is None:
        principal = g.principal = find_principal(_token())
    if principal.must_change_password and not before_password_change:
        raise PasswordChangeRequired
    return principal


def principal_or_none() -> Principal | None:
    """Return the signed-in person, or None for whoever is not signed in or has yet to change the first password."""
    try:
        return current_principal()
    except (NotLoggedIn, PasswordChangeRequired):
        return None


def current_client() -> Client:
    """Return the address and the user agent of this request."""
    return Client(request.remote_addr or "", request.headers.get("User-Agent", ""))


def is_foreign(asked: Request) -> bool:
    """Tell whether a browser sent this request from a page of another site (another port or sub-domain included)."""
    if site := asked.headers.get("Sec-Fetch-Site"):
        return site not in ("same-origin", "none")
    origin = asked.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != asked.host


def _token() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    if not (token := request.cookies.get(COOKIE, "")):
        raise NotLoggedIn
    # A browser sends the cookie by itself, so a change has to come from our own page.
    if request.method not in SAFE_METHODS and is_foreign(request):
        raise ForeignOrigin
    return token
