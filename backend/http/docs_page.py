"""`/api/openapi.json` for programs and `/api/docs` for people, with no outside request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from flask import Flask, Response
from jinja2 import Environment

from backend.http.api import Api
from backend.http.etag import tag_answer
from backend.http.problems import code_table

METHODS = ("get", "post", "put", "patch", "delete")
TYPES = {
    "string": "文字",
    "integer": "整数",
    "number": "数字",
    "boolean": "是否",
    "array": "列表",
    "object": "对象",
    "null": "空",
}
FORMATS = {"date-time": "日期时间", "date": "日期", "uuid": "UUID", "email": "邮箱", "binary": "文件", "url": "网址"}

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "docs_page.css").read_text()
TEMPLATE = Environment(autoescape=True).from_string((FOLDER / "docs_page.html").read_text())
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def install_docs(app: Flask, api: Api) -> None:
    """Add the two addresses; both are open, for they hold nothing but how the API is spoken to."""

    def openapi() -> Response:
        return tag_answer(Response(api.document_json(), mimetype="application/json"), None)

    def docs() -> Response:
        answer = Response(page(api.document_json()), mimetype="text/html")
        answer.headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
        )
        return tag_answer(answer, None)

    app.add_url_rule("/api/openapi.json", "openapi", openapi)
    app.add_url_rule("/api/docs", "api_docs", docs)


@lru_cache(maxsize=1)
def page(document_json: bytes) -> str:
    """Return the page for people, drawn once for each document."""
    document = orjson.loads(document_json)
    return TEMPLATE.render(
        style=STYLE, document=document, groups=list(groups(document)), problems=code_table(), type_of=type_of
    )


def groups(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], list[dict[str, Any]]]]:
    """Yield each tag with its operations, in the order of registration."""
    schemas = document.get("components", {}).get("schemas", {})
    for tag in document.get("tags", ()):
        operations = [
            {
                "method": method.upper(),
                "path": path,
                "anchor": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "login": "security" in operation,
                "parameters": [*entry.get("parameters", ()), *operation.get("parameters", ())],
                "bodies": [
                    (media, [each for each in members(content.get("schema", {}), schemas) if not each["fixed"]])
                    for media, content in operation.get("requestBody", {}).get("content", {}).items()
                ],
                "answers": [
                    (
                        status,
                        "成功" if status.startswith("2") else answer.get("description", ""),
                        answer.get("x-codes", {}),
                        list(answer_members(answer, schemas)),
                    )
                    for status, answer in operation.get("responses", {}).items()
                ],
            }
            for path, entry in document["paths"].items()
            for method, operation in entry.items()
            if method in METHODS and tag["name"] in operation.get("tags", ())
        ]
        if operations:
            yield tag, operations


def answer_members(answer: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the members of a successful JSON answer."""
    content = answer.get("content", {}).get("application/json")
    return members(content.get("schema", {}), schemas) if content else iter(())


def members(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[dict[str, Any]]:
    """Yield the members of an object, those of objects inside it too, as path, type, and what is said of them."""
    schema = resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from members(schema.get("items", {}), schemas, f"{prefix}[].", depth + 1)
        return
    for name, raw in schema.get("properties", {}).items():
        each = resolved(raw, schemas)
        yield {
            "path": f"{prefix}{name}",
            "type": type_of(each),
            "required": name in schema.get("required", ()),
            "fixed": each.get("readOnly", False),
            "text": " ".join(filter(None, (each.get("title", ""), each.get("description", "")))),
            "example": each.get("example", ""),
        }
        inner = resolved(each.get("items", {}), schemas) if each.get("type") == "array" else each
        if depth < 3 and "properties" in inner:
            yield from members(inner, schemas, f"{prefix}{name}{'[]' if inner is not each else ''}.", depth + 1)


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference."""
    for part in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in part:
            return schemas.get(part["$ref"].rpartition("/")[2], {})
    return schema


def type_of(schema: Mapping[str, Any]) -> str:
    """Say in Chinese what a value is and where its limits lie."""
    kinds = schema.get("type", "")
    names = [TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    text = FORMATS.get(schema.get("format", ""), "或".join(filter(None, names)))
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    if low is not None or high is not None:
        text += f"（{'' if low is None else low}–{'' if high is None else high}）"
    if "enum" in schema:
        text += "：" + "、".join(str(each) for each in schema["enum"])
    return text
