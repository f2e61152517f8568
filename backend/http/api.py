"""The API as an OpenAPI document that says what every address takes and every problem it may answer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from bson import ObjectId
from flask import Flask, Response
from flask_smorest.utils import get_appcontext, unpack_tuple_response
from marshmallow import Schema
from werkzeug.routing import BaseConverter

from backend.http.arguments import StrictParser
from backend.http.describing import describe, operation_problems, problem_responses
from backend.http.etag import ETAG, IF_NONE_MATCH, tag_answer
from backend.http.json_values import write_json
from backend.http.problems import ProblemSchema

View = Callable[..., Any]

SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "登录后得到的访问令牌"},
}


class RecordIdConverter(BaseConverter):
    """The id of a record in an address, `<record_id:compound_id>`: 24 hex digits; other text is 404."""

    regex = "[0-9a-f]{24}"

    def to_python(self, value: str) -> Any:
        """Return the ObjectId."""
        return ObjectId(value)


class CodeConverter(BaseConverter):
    """A code in an address, `<code:device>`: letters, digits, `-`, `_` and `.`; other text is 404."""

    regex = r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,63}"


class Blueprint(flask_smorest.Blueprint):
    """Routes of one part of the API, with strict arguments, ETags and documented problems.

    Decorators, from the top: `route`, `requires`, `idempotent` or `if_match`, `arguments`, `response`.
    """

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepare_doc_cbks: list[Callable[..., Any]] = [*self._prepare_doc_cbks, self._prepare_problems_doc]

    def arguments(self, schema: Any, **options: Any) -> Callable[[View], View]:
        """Check what the client sends against `schema` and hand it to the view; a class is instantiated once."""
        made = schema() if isinstance(schema, type) else schema
        decorator: Callable[[View], View] = super().arguments(made, **options)
        return decorator

    def response(
        self, status_code: int, schema: type[Schema] | Schema | None = None, *, ready: bool = False, **options: Any
    ) -> Callable[[View], View]:
        """Write the view's result as JSON through `schema`, tag it, and answer 304 to a client that has it.

        With `ready` the result holds exactly what JSON needs and the schema only documents it: for long lists.
        """
        documented = super().response(status_code, schema, **options)

        def decorator(view: View) -> View:
            written = documented(_written(view, status_code) if ready else view)

            @wraps(written)
            def tagged(*args: Any, **kwargs: Any) -> Any:
                answer = written(*args, **kwargs)
                return tag_answer(answer, get_appcontext().get("result_dump"))

            return describe(tagged)

        return decorator

    def _prepare_problems_doc(
        self, doc: dict[str, Any], doc_info: dict[str, Any], *, method: str, **_options: Any
    ) -> dict[str, Any]:
        doc.setdefault("parameters", []).extend(doc_info.get("header_parameters", ()))
        if method == "get":
            doc["parameters"].append(IF_NONE_MATCH)
            doc.setdefault("responses", {})[304] = {"description": "没有变化"}
        for status in doc_info.get("success_status_codes", ()):
            answer = doc.get("responses", {}).get(status)
            if isinstance(answer, dict) and "application/json" in answer.get("content", {}):
                answer.setdefault("headers", {})["ETag"] = ETAG
        if doc_info.get("login"):
            doc["security"] = [{name: []} for name in SECURITY_SCHEMES]
        # `Api.document` turns them into answers, when all codes are registered and the path is known.
        doc["x-problems"] = sorted(operation_problems(doc, doc_info.get("problems", ()), method))
        return doc


class Api(flask_smorest.Api):
    """The API of one Flask app; `register_blueprint` adds routes and their documentation."""

    ERROR_SCHEMA = ProblemSchema
    #: Every problem is documented by itself, so that an undocumented answer is found by tests.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, *, title: str, version: str) -> None:
        app.url_map.converters.update(record_id=RecordIdConverter, code=CodeConverter)
        marshmallow_plugin = MarshmallowPlugin(schema_name_resolver=schema_name)
        spec_kwargs = {"title": title, "version": version, "openapi_version": "3.1.0"}
        super().__init__(app, spec_kwargs={**spec_kwargs, "marshmallow_plugin": marshmallow_plugin})
        assert marshmallow_plugin.converter is not None  # noqa: S101 - made by the line above
        marshmallow_plugin.converter.add_attribute_function(label_and_choices)
        self.register_converter(RecordIdConverter, _pattern("编号，24 位十六进制"))
        self.register_converter(CodeConverter, _pattern("编码"))
        self.spec.components.schema("Problem", schema=ProblemSchema)
        for name, scheme in SECURITY_SCHEMES.items():
            self.spec.components.security_scheme(name, scheme)
        self._document: bytes | None = None

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Add the routes of `blp`, which must all lie below /api/."""
        known = {rule.endpoint for rule in self._app.url_map.iter_rules()}
        super().register_blueprint(blp, **options)
        for rule in self._app.url_map.iter_rules():
            if rule.endpoint not in known and not rule.rule.startswith("/api/"):
                raise ValueError(f"{blp.name}: the address {rule.rule} does not begin with /api/.")
        self._document = None

    def document(self) -> Mapping[str, Any]:
        """Return the OpenAPI document."""
        document: dict[str, Any] = self.spec.to_dict()
        problem = {"$ref": "#/components/schemas/Problem"}
        for path, operations in document["paths"].items():
            for operation in operations.values():
                if isinstance(operation, dict) and "x-problems" in operation:
                    # Docstrings end with a full stop, titles do not.
                    operation["summary"] = operation.get("summary", "").rstrip(".。")
                    codes = {*operation.pop("x-problems"), *(["not_found"] if "{" in path else [])}
                    responses = {str(status): each for status, each in operation.get("responses", {}).items()}
                    described = problem_responses(codes, problem)
                    responses |= {str(status): each for status, each in described.items()}
                    operation["responses"] = dict(sorted(responses.items()))
        for schema in document["components"]["schemas"].values():
            for member in schema.get("properties", {}).values():
                if member.get("example") == "":  # a field whose example was left empty has none
                    del member["example"]
        return document

    def document_json(self) -> bytes:
        """Return the OpenAPI document as JSON, written once."""
        if self._document is None:
            self._document = write_json(self.document())
        return self._document

    def _register_error_handlers(self) -> None:
        """Leave errors to `backend.http.failures`."""

    def _register_responses(self) -> None:
        """Leave error answers to `document`, which knows the problem codes."""


def schema_name(schema: Any) -> str:
    """Name a schema in the document: `Compound`, and `CompoundChange` where every field may be left out."""
    instance = schema() if isinstance(schema, type) else schema
    name = type(instance).__name__.removesuffix("Schema")
    return f"{name}Change" if instance.partial else name


def label_and_choices(self: Any, field: Any, **_options: Any) -> dict[str, Any]:
    """Show a field's Chinese label as its title, and the names of its choices."""
    shown: dict[str, Any] = {}
    if label := field.metadata.get("label"):
        shown["title"] = label
    if (choices := field.metadata.get("choices")) and "description" not in field.metadata:
        shown["description"] = "、".join(f"{code} {name}" for code, name in choices.items())
    return shown


def _written(view: View, status_code: int) -> View:
    @wraps(view)
    def written(*args: Any, **kwargs: Any) -> Any:
        result, status, headers = unpack_tuple_response(view(*args, **kwargs))
        if isinstance(result, Response):
            return result, status, headers
        get_appcontext()["result_dump"] = result
        answer = Response(write_json(result), status or status_code, mimetype="application/json")
        answer.headers.extend(headers or {})
        return answer

    return written


def _pattern(description: str) -> Callable[[BaseConverter], dict[str, str]]:
    return lambda converter: {"type": "string", "pattern": f"^{converter.regex}$", "description": description}
