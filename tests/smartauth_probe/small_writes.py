"""What the small server does beside reading and searching: create, update, patch, delete, on conditions too."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from smartauth_probe.raw_http import Response

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked, Grant


def write(asked: Asked, parts: list[str]) -> Response:
    from tests.smartauth_probe.small_server import Refused

    match (asked.request.method, parts):
        case ("POST", [kind]):
            return create(asked, kind)
        case ("PUT" | "PATCH", [kind, key]):
            return change(asked, kind, key)
        case ("DELETE", [kind, key]):
            return delete(asked, kind, key)
        case ("PUT" | "PATCH" | "DELETE", [kind]):
            return by_condition(asked, kind)
    raise Refused(404 if asked.request.method == "GET" else 405, "not-supported")


def create(asked: Asked, kind: str) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    if asked.has("only-ids-of-clients") or asked.has("create-refused"):
        raise Refused(403 if asked.has("create-refused") else 405, "not-supported")
    grants = asked.grants(kind, "c")
    content: Json = json.loads(asked.request.body)
    if condition := asked.headers.get("if-none-exist"):
        found = matching(asked, kind, condition)
        if found:
            return respond(200 if len(found) == 1 else 412, found[0])
    if asked.has("numbers-are-unique") and any(
        number in each.get("identifier", ()) for each in asked.server.current() for number in content["identifier"]
    ):
        raise Refused(409, "duplicate")
    key = content.get("id") if asked.has("id-of-client") else None
    key = key or f"made-{len(asked.server.store)}"
    return store(asked, {**content, "resourceType": kind, "id": key}, grants, 201)


def change(asked: Asked, kind: str, key: str) -> Response:
    """Judged by what it was and by what it becomes."""
    from tests.smartauth_probe.small_server import Refused

    body, versions = json.loads(asked.request.body), asked.server.store.get((kind, key))
    if asked.has("upsert-open") and not versions:
        return store(asked, {**body, "id": key}, [], 201)
    if asked.has("only-ids-of-clients") and asked.request.method == "PUT" and not versions:
        return store(asked, {**body, "id": key}, asked.grants(kind, "u"), 201)
    if versions and versions[-1]:
        if asked.has("test-first") and asked.request.method == "PATCH":
            patched(versions[-1], body)
        number = asked.headers.get("if-match", "*").strip('W/"')
        if asked.has("etag-first") and number not in ("*", versions[-1]["meta"]["versionId"]):
            raise Refused(412, "conflict")
        if asked.has("old-not-judged"):
            return store(asked, renewed(asked, versions[-1], body), [], 200)
    old = asked.find(kind, key, "u")
    return store(asked, renewed(asked, old, body), asked.grants(kind, "u"), 200)


def renewed(asked: Asked, old: Json, body: object) -> Json:
    assert isinstance(body, dict | list)
    if asked.request.method == "PATCH":
        return patched(old, body)
    assert isinstance(body, dict)
    return {**body, "resourceType": old["resourceType"], "id": old["id"]}


def patched(resource: Json, operations: list[Json] | Json) -> Json:
    """By a JSON Patch that replaces or tests. Raises Refused."""
    from tests.smartauth_probe.small_server import Refused

    if isinstance(operations, dict):
        raise Refused(415, "not-supported")
    new = copy.deepcopy(resource)
    for each in operations:
        *parents, name = each["path"].lstrip("/").split("/")
        place = new
        for parent in parents:
            place = place[parent]
        if each["op"] == "test" and place.get(name) != each["value"]:
            raise Refused(422, "processing")
        place[name] = each["value"]
    return new


def store(asked: Asked, resource: Json, grants: list[Grant], status: int) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    is_open = any(map(asked.has, ("write-anywhere", "upsert-open", "old-not-judged")))
    if not asked.sees(resource, grants) and not is_open:
        raise Refused(403, "forbidden")
    asked.server.put(resource)
    return respond(status, asked.server.store[resource["resourceType"], resource["id"]][-1])


def delete(asked: Asked, kind: str, key: str) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    if asked.has("delete-refused"):
        raise Refused(405, "not-supported")
    if asked.has("delete-breaks"):
        raise Refused(500, "exception")
    if not (asked.has("delete-open") and (kind, key) in asked.server.store):
        asked.find(kind, key, "d")
    asked.server.store[kind, key].append(None)
    for each in list(asked.server.current()) if asked.has("cascade-open") and "x-cascade" in asked.headers else ():
        if each.get("subject", {}).get("reference") == f"{kind}/{key}":
            asked.server.store[each["resourceType"], each["id"]].append(None)
    return respond(204, None)


def by_condition(asked: Asked, kind: str) -> Response:
    """The one record that the caller finds; without one an update creates."""
    from tests.smartauth_probe.small_server import HIDDEN, Refused, respond

    if not asked.request.query:
        for each in list(asked.server.current()) if asked.has("delete-all") else ():
            asked.server.store[each["resourceType"], each["id"]] += [None] if each["resourceType"] == kind else []
        raise Refused(412, "multiple-matches")
    found = matching(asked, kind, asked.request.query)
    if len(found) > 1:
        raise Refused(412, "multiple-matches")
    if found and asked.request.method == "DELETE":
        return delete(asked, kind, found[0]["id"])
    if found:
        return change(asked, kind, found[0]["id"])
    if asked.request.method == "PUT":
        return create(asked, kind)
    if asked.request.method == "DELETE":
        return respond(204, None)
    raise HIDDEN


def matching(asked: Asked, kind: str, query: str) -> list[Json]:
    """What fits, of that which the caller may search for."""
    from tests.smartauth_probe.small_search import Search

    grants = asked.grants(kind, "s")
    search = Search(asked, kind, parse_qsl(query))
    fitting = [each for each in asked.server.current() if each["resourceType"] == kind and search.matches(each)]
    return [each for each in fitting if asked.sees(each, grants) or asked.has("condition-open")]
