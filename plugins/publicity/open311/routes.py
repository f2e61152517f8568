"""Open311 GeoReport v2, for programs that know nothing of this platform. Errors look as the specification has them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Blueprint as Undocumented
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from backend.plugin_api import (
    Actor,
    Blueprint,
    Problem,
    acting,
    district_of,
)
from plugins.publicity.exposure.models import MOST_PHOTOS
from plugins.publicity.exposure.reporting import Sender, report
from plugins.publicity.open311.forms import answer
from plugins.publicity.open311.georeport import (
    Refused,
    definition,
    is_request,
    jurisdiction_filter,
    one,
    search,
    services,
    told_of,
)
from plugins.publicity.open311.keys import ApiKey, holder_of

ROOT = "/api/v1/open311"
blueprint = Blueprint("publicity_open311", __name__, url_prefix=ROOT, description="Open311 GeoReport v2")

View = Callable[..., Any]


def spoken(view: View) -> View:
    """Decorate a view that answers in the form of its address, or of `Accept`, and refuses in the same."""

    @wraps(view)
    def answered(*args: Any, form: str = "", **kwargs: Any) -> Response:
        best = request.accept_mimetypes.best_match(["application/json", "text/xml", "application/xml"])
        form = form or ("xml" if best and best.endswith("xml") else "json")
        try:
            root, content, status = view(*args, **kwargs)
        except Refused as refusal:
            return refused(form, refusal.status, refusal.description)
        except RequestEntityTooLarge:
            return refused(form, 413, "The request is too large.")
        except Problem as problem:
            if problem.kind.status >= 500:
                raise
            words = " ".join(each for path, lines in problem.fields.items() for each in (path, *lines))
            status = problem.kind.status if problem.kind.status in (404, 413, 429) else 400
            return refused(form, status, words or problem.detail)
        return answer(form, root, content, status)

    return answered


def refused(form: str, status: int, description: str) -> Response:
    """Return an error."""
    return answer(form, "errors", [{"code": str(status), "description": description}], status)


def both(rule: str, **options: Any) -> Callable[[View], View]:
    """Decorate a view with its address with and without `.json` or `.xml`."""

    def decorator(view: View) -> View:
        shown = spoken(view)
        # Past the API's own document: what these addresses take and answer stands in the specification.
        for address in (f"{rule}.<any(json, xml):form>", rule):
            Undocumented.add_url_rule(blueprint, address, view.__name__, shown, **options)
        return view

    return decorator


@both("/discovery")
def discovery() -> Any:
    """Service Discovery."""
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2",
        "url": f"{request.host_url.rstrip('/')}{ROOT}/v2",
        "changeset": "2026-11-01T00:00:00Z",
        "type": "production",
        "formats": ["text/xml", "application/json"],
    }
    return "discovery", {"changeset": "2026-11-01T00:00:00Z", "contact": None, "endpoints": [endpoint]}, 200


@both("/v2/services")
def list_services() -> Any:
    """GET Service List."""
    jurisdiction_filter(request.args.get("jurisdiction_id", ""))
    return "services", services(), 200


@both("/v2/services/<string(maxlength=40):code>")
def show_service(code: str) -> Any:
    """GET Service Definition."""
    jurisdiction_filter(request.args.get("jurisdiction_id", ""))
    return "service_definition", definition(code), 200


@both("/v2/requests", methods=["GET"])
def list_requests() -> Any:
    """GET Service Requests."""
    return "service_requests", search(request.args, key_or_none(), request.host_url), 200


@both("/v2/requests", methods=["POST"])
def send() -> Any:
    """POST Service Request. `media` (extension) holds photos; `media_url` is noted, nothing is fetched from there."""
    key = key_or_none()
    if key is None:
        raise Refused(403, "api_key was not provided or is not valid.")
    jurisdiction = request.values.get("jurisdiction_id", "")
    jurisdiction_filter(jurisdiction)
    if jurisdiction and jurisdiction != district_of(key.area):
        raise Refused(403, "api_key is not valid for this jurisdiction_id.")
    told, person = told_of(request.form)
    files = [file for file in request.files.getlist("media") if file.filename]
    if len(files) > MOST_PHOTOS:
        raise Refused(400, f"At most {MOST_PHOTOS} files.")
    who = Sender(vendor=key.organisation, contact=person)
    actor = Actor(id=str(key.id), name=key.title, kind="vendor", address="")
    with acting(actor):
        receipt = report(who, told, [file.read() for file in files], key=request.headers.get("Idempotency-Key", ""))
    sent = {"service_request_id": receipt["number"], "service_notice": "已收到，等待审核。", "account_id": None}
    return "service_requests", [sent], 201


@both("/v2/requests/<string(maxlength=20):number>")
def show_request(number: str) -> Any:
    """GET Service Request."""
    return "service_requests", [one(number, key_or_none(), request.host_url)], 200


@both("/v2/tokens/<string(maxlength=20):token>")
def show_token(token: str) -> Any:
    """GET service_request_id from a token: ids are given at once here, and each is its own token."""
    if not is_request(token):
        raise Refused(404, "token was not found.")
    return "service_requests", [{"service_request_id": token, "token": token}], 200


def key_or_none() -> ApiKey | None:
    """Return the key that the request shows; raises Refused for one that is good for nothing."""
    shown = request.values.get("api_key", "")
    key = holder_of(shown[:200])
    if shown and key is None:
        raise Refused(403, "api_key is not valid.")
    return key
