"""The peer: python-eve 2.3 with ETags and versions over the same compounds, in the form that its manual calls fast.

No login, no compression, no links (HATEOAS), no count of all pages (OPTIMIZE_PAGINATION_FOR_SPEED), JSON alone. What
is created has to keep the same rules as ours: the code is free, the community and the company exist. The resource
`bare` is the same without these three rules.
"""

from __future__ import annotations

import os
from typing import Any

from eve import Eve

TEXT: dict[str, Any] = {"type": "string", "maxlength": 200}
CODE: dict[str, Any] = {"type": "string", "regex": "^[0-9A-Za-z]{1,32}$"}
NUMBER: dict[str, Any] = {"type": "integer", "min": 0, "max": 500_000}

BARE: dict[str, Any] = {
    "code": {**CODE, "required": True},
    "name": {**TEXT, "required": True},
    "area_code": {**CODE, "required": True},
    "area": {**TEXT, "required": True},
    "address": TEXT,
    "place": {"type": "point"},
    "property_company": CODE,
    "households": NUMBER,
    "residents": NUMBER,
    "contact_name": TEXT,
    "contact_phone": TEXT,
    "note": TEXT,
    "active": {"type": "boolean", "default": True},
}
COMPOUND: dict[str, Any] = {
    **BARE,
    "code": {**BARE["code"], "unique": True},
    "area_code": {**BARE["area_code"], "data_relation": {"resource": "areas", "field": "code"}},
    "property_company": {**CODE, "data_relation": {"resource": "companies", "field": "code"}},
}
SETTINGS: dict[str, Any] = {
    "MONGO_URI": os.environ.get("EVE_STORE", ""),
    "OPTIMIZE_PAGINATION_FOR_SPEED": True,
    "HATEOAS": False,
    "RENDERERS": ["eve.render.JSONRenderer"],
    "DOMAIN": {
        "areas": {"schema": {"code": dict(CODE)}},
        "companies": {"schema": {"code": dict(CODE)}},
        "compounds": {"schema": COMPOUND, "versioning": True, "resource_methods": ["GET", "POST"]},
        "bare": {"schema": BARE, "versioning": True, "resource_methods": ["POST"]},
    },
}


def make_app() -> Eve:
    """Return the WSGI app."""
    return Eve(settings=SETTINGS)
