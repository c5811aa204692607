"""What the small server does beside reading and searching: create, update, patch, delete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from smartauth_probe.raw_http import Response

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked, Grant


def write(asked: Asked, parts: list[str]) -> Response:
    from tests.smartauth_probe.small_server import Refused

    match (asked.request.method, parts):
        case ("POST", [kind]) if not kind.startswith("$"):
            return create(asked, kind)
        case ("PUT" | "PATCH", [kind, key]):
            return change(asked, kind, key)
        case ("DELETE", [kind, key]):
            return delete(asked, kind, key)
    raise Refused(404 if asked.request.method == "GET" else 405, "not-supported")


def create(asked: Asked, kind: str) -> Response:
    grants = asked.grants(kind, "c")
    content: Json = json.loads(asked.request.body)
    key = f"made-{len(asked.server.store)}"
    return store(asked, {**content, "resourceType": kind, "id": key}, grants, 201)


def change(asked: Asked, kind: str, key: str) -> Response:
    """Judged by what it was and by what it becomes."""
    old = asked.find(kind, key, "u")
    body = json.loads(asked.request.body)
    new = patched(old, body) if asked.request.method == "PATCH" else {**body, "id": key}
    return store(asked, new, asked.grants(kind, "u"), 200)


def patched(resource: Json, operations: list[Json]) -> Json:
    """By a JSON Patch on members at the top."""
    return {**resource, **{each["path"].lstrip("/"): each["value"] for each in operations if each["op"] == "replace"}}


def store(asked: Asked, resource: Json, grants: list[Grant], status: int) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    if not asked.sees(resource, grants) and not asked.has("write-anywhere"):
        raise Refused(403, "forbidden")
    asked.server.put(resource)
    return respond(status, asked.server.store[resource["resourceType"], resource["id"]][-1])


def delete(asked: Asked, kind: str, key: str) -> Response:
    from tests.smartauth_probe.small_server import respond

    asked.find(kind, key, "d")
    asked.server.store[kind, key].append(None)
    return respond(204, None)
