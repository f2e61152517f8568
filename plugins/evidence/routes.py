"""The API of captures: devices send them, staff look at them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from bson import ObjectId
from flask import Response, request, send_file
from flask.views import MethodView

from backend.plugin_api import (
    Blueprint,
    Page,
    PageSchema,
    check_if_match,
    current_principal,
    current_settings,
    get_blob,
    if_match,
    page_of,
    parse_json,
    plugins,
    requires,
    sealed_files,
)
from plugins.evidence.extraction import retry
from plugins.evidence.intake import recognise, take_in
from plugins.evidence.models import Capture
from plugins.evidence.reading import (
    VIEW,
    conditions,
    detail,
    find_capture,
    open_exhibit,
    open_original,
    summary,
)
from plugins.evidence.schemas import (
    CaptureDetailSchema,
    CaptureFilters,
    CaptureSchema,
    ObservationSchema,
    PurposeSchema,
    ReceiptSchema,
)
