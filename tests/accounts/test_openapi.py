"""The OpenAPI document of these routes can be read by tools."""

from __future__ import annotations


def test_every_route_is_documented_with_its_problems(client):
    document = client.get("/api/openapi.json").json
    paths = document["paths"]
    assert {"/api/v1/sessions", "/api/v1/me", "/api/v1/users", "/api/v1/roles", "/api/v1/areas"} <= set(paths)
    for path, operations in paths.items():
        for method in {"get", "post", "put", "patch", "delete"} & set(operations):
            operation = operations[method]
            assert operation.get("summary"), f"{method} {path}"
            is_open = path in ("/api/v1/sessions", "/api/v1/sessions/refresh") and method == "post"
            assert is_open or "401" in operation["responses"], f"{method} {path}"
