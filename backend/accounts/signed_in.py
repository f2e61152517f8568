"""Routes that need a login and nothing more, and work before the first password is changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from backend.http.access import actor_of
from backend.http.describing import describe
from backend.identity import current_principal
from backend.protection import acting


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view with a login; what it does is done in the person's name."""

    @wraps(view)
    def allowed(*args: Any, **kwargs: Any) -> Any:
        with acting(actor_of(current_principal(before_password_change=True))):
            return view(*args, **kwargs)

    return describe(allowed, problems=("login_required",), login=True)
