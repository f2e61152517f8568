"""Pages for people: who may open them, and the headers that keep them private and free of foreign scripts.

A page extends `base.html`, the frame that `backend.accounts` brings along with its styles.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.http.access import actor_of
from backend.identity import (
    NotLoggedIn,
    PasswordChangeRequired,
    current_principal,
    require_anywhere,
)
from backend.identity.errors import IdentityError
from backend.protection import acting

#: All that a page needs comes from this server; no script stands in the page itself.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Pages(Blueprint):
    """The pages of one module, with their templates, styles and scripts."""


def page(permission: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a page that needs a login and, if given, a permission.

    Whoever is not signed in is sent to the login and comes back after it.
    """

    def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def shown(*args: Any, **kwargs: Any) -> Any:
            if (elsewhere := sent_elsewhere()) is not None:
                return elsewhere
            principal = current_principal()
            try:
                if permission:
                    require_anywhere(principal, permission)
            except IdentityError as refusal:
                return dressed(render_template("refused.html", refusal=refusal), refusal.status)
            with acting(actor_of(principal)):
                return dressed(view(*args, **kwargs))

        return shown

    return decorator


def sent_elsewhere() -> AnyResponse | None:
    """Return the way to the login, or to the change of the first password; None for whoever may go on."""
    try:
        current_principal()
    except NotLoggedIn:
        wanted = request.full_path.rstrip("?")
        return redirect(f"{url_for('accounts.login')}?next={quote(wanted, safe='')}")
    except PasswordChangeRequired:
        return redirect(url_for("accounts.account"))
    return None


def dressed(html: str | AnyResponse, status: int = 200) -> AnyResponse:
    """Give a page the headers that keep it private and free of foreign scripts."""
    answer = html if isinstance(html, AnyResponse) else Response(html, status)
    answer.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
