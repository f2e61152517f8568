"""A small app with the API's habits: things with a name, an amount and a version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask
from flask.testing import FlaskClient
from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

from backend import storage
from backend.http import (
    DOCUMENTS,
    Blueprint,
    PageArgs,
    Problem,
    ProblemCode,
    etag_of,
    idempotent,
    if_match,
    if_match_version,
    install,
    may_answer,
    paged,
    read_page,
    read_photo,
    register,
    requires,
)
from backend.identity import DOCUMENTS as IDENTITY_DOCUMENTS
from backend.identity import Area, Client, Permission, install_roles, log_in
from backend.identity.people import make_user
from backend.protection import ensure_keys
from backend.settings import Settings

PASSWORD = "Sorted-Waste-4711"
SORT = (("amount", 1), ("_id", 1))


class ThingSchema(Schema):
    """A thing."""

    id = fields.String(dump_only=True)
    etag = fields.String(dump_only=True)
    name = fields.String(required=True, validate=validate.Length(1, 50), metadata={"label": "名称"})
    amount = fields.Integer(load_default=0, validate=validate.Range(0, 1000), metadata={"label": "数量"})
    made_at = fields.AwareDateTime(metadata={"label": "时间"})
    tags = fields.List(fields.String(validate=validate.Length(max=5)), validate=validate.Length(max=60))
    anything = fields.Raw()


class ThingList(PageArgs):
    """The search for things."""

    name = fields.String()


class PhotoForm(Schema):
    """A photo."""

    file = Upload(required=True)


def things() -> Any:
    return storage.database()["things"]


def shown(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in ("_id", "version")}
    return {"id": row["_id"], "etag": etag_of(row).strip('"'), **kept}


def blueprint() -> Blueprint:
    blp = Blueprint("things", __name__, url_prefix="/api/v1/things", description="物品")

    @blp.route("", methods=["GET"])
    @requires("things:view")
    @blp.arguments(ThingList, location="query")
    @blp.response(200, paged(ThingSchema), ready=True)
    def list_things(asked: dict[str, Any]) -> dict[str, Any]:
        """查询物品."""
        name = asked.pop("name", None)
        return read_page(things(), {"name": name} if name else {}, sort=SORT, **asked).shown(shown)

    @blp.route("", methods=["POST"])
    @requires("things:edit")
    @idempotent
    @may_answer("conflict")
    @blp.arguments(ThingSchema)
    @blp.response(201, ThingSchema, ready=True)
    def create_thing(values: dict[str, Any]) -> Any:
        """新增物品."""
        row = {"_id": ObjectId(), "version": 1, **values}
        things().insert_one(row)
        if values["name"] == "half":
            raise Problem("conflict")
        return shown(row), {"Location": f"/api/v1/things/{row['_id']}"}

    @blp.route("/<record_id:thing_id>", methods=["GET"])
    @requires("things:view")
    @blp.response(200, ThingSchema, ready=True)
    def get_thing(thing_id: ObjectId) -> dict[str, Any]:
        """查看物品."""
        row = things().find_one({"_id": thing_id})
        if row is None:
            raise Problem("not_found")
        return shown(row)

    @blp.route("/<record_id:thing_id>", methods=["PATCH"])
    @requires("things:edit")
    @if_match
    @blp.arguments(ThingSchema(partial=True))
    @blp.response(200, ThingSchema, ready=True)
    def change_thing(values: dict[str, Any], thing_id: ObjectId) -> dict[str, Any]:
        """修改物品."""
        row = things().find_one_and_update(
            {"_id": thing_id, "version": if_match_version(thing_id)},
            {"$set": values, "$inc": {"version": 1}} if values else {"$inc": {"version": 1}},
            return_document=True,
        )
        if row is None:
            raise Problem("stale_version")
        return shown(row)

    @blp.route("/photos", methods=["POST"])
    @requires("things:edit")
    @idempotent
    @may_answer("unreadable_image", "image_too_large")
    @blp.arguments(PhotoForm, location="files")
    @blp.response(201, Schema.from_dict({"width": fields.Integer(), "id": fields.String()}, name="Photo"))
    def add_photo(files: dict[str, Any]) -> dict[str, Any]:
        """上传照片."""
        picture = read_photo(files["file"].read())
        return {"width": picture.width, "id": things().insert_one({"name": "photo"}).inserted_id}

    @blp.route("/broken", methods=["GET"])
    @blp.response(200)
    def broken() -> None:
        """出错."""
        raise RuntimeError("the password of the store is hunter2")

    @blp.route("/unreachable", methods=["GET"])
    @blp.response(200)
    def unreachable() -> None:
        """数据库不可用."""
        from pymongo import MongoClient

        MongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=20).admin.command("ping")

    return blp


def make_app(settings: Settings) -> Flask:
    register([ProblemCode("things_closed", 409, "物品已封存", "物品已封存。")])
    app = Flask("things")
    api = install(app, settings)
    api.register_blueprint(blueprint())
    app.extensions["api"] = api
    return app


@pytest.fixture(scope="module")
def app(store: Settings) -> Iterator[Flask]:
    database = storage.database()
    for name in database.list_collection_names():
        database[name].delete_many({})
    storage.ensure_indexes([*DOCUMENTS, *IDENTITY_DOCUMENTS])
    ensure_keys()
    things().create_index("code", unique=True, sparse=True)
    install_roles(
        [
            Permission("things:view", "查看物品", ("street_staff", "community_staff")),
            Permission("things:edit", "修改物品", ("street_staff",)),
        ]
    )
    Area(path="330110", code="330110", name="清序区", level="district").save()
    for account, kind in (("editor", "street_staff"), ("reader", "community_staff"), ("other", "street_staff")):
        make_user(PASSWORD, must_change=False, account=account, name="张三", user_type=kind, area="330110")
    yield make_app(store)


@pytest.fixture(autouse=True)
def no_things(request: pytest.FixtureRequest) -> None:
    if "app" in request.fixturenames:
        things().delete_many({})


class Person:
    """A client that is logged in."""

    def __init__(self, app: Flask, account: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = log_in(account, PASSWORD, Client()).access

    def __getattr__(self, method: str) -> Any:
        def call(address: str, *, headers: dict[str, str] | None = None, **options: Any) -> Any:
            headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
            return getattr(self.client, method)(address, headers=headers, **options)

        return call


@pytest.fixture(scope="module")
def editor(app: Flask) -> Person:
    return Person(app, "editor")


@pytest.fixture(scope="module")
def reader(app: Flask) -> Person:
    return Person(app, "reader")


@pytest.fixture(scope="module")
def other(app: Flask) -> Person:
    return Person(app, "other")
