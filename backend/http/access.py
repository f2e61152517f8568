"""Who may call a view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request

from backend.http.describing import View, describe
from backend.identity import Principal, current_principal, require_anywhere
from backend.monitoring import logging_about
from backend.protection import Actor, acting


def requires(permission: str = "") -> Callable[[View], View]:
    """Decorate a view that needs a login and `permission` (`module:action`) somewhere; without one, a login alone.

    Answers 401, 403, or 404 where the module is switched off. What the view does is done in the person's name.
    Which records the permission reaches is for `scope_filter` and `require` to say.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def allowed(*args: Any, **kwargs: Any) -> Any:
            principal = current_principal()
            if permission:
                require_anywhere(principal, permission)
            with acting(actor_of(principal)), logging_about(person_id=str(principal.id)):
                return view(*args, **kwargs)

        codes = ("login_required", "password_change_required", *(("forbidden", "module_off") if permission else ()))
        return describe(allowed, problems=codes, login=True)  # type: ignore[return-value]

    return decorator


def actor_of(principal: Principal) -> Actor:
    """Return the person as the audit trail names him or her."""
    return Actor(id=str(principal.id), name=principal.name, kind="person", address=request.remote_addr or "")
