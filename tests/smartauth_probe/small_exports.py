"""How the small server exports: a job for each $export, bound to who started it, with a file for each type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from smartauth_probe.raw_http import Response

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked


@dataclass(frozen=True)
class Job:
    client: str
    token: str
    files: dict[str, list[Json]]


def client_of(asked: Asked) -> str:
    return str(asked.claims.get("client_id", ""))


def export(asked: Asked, place: list[str]) -> Response:
    from tests.smartauth_probe.small_server import BASE, Refused, respond

    query = dict(parse_qsl(asked.request.query))
    if asked.has("export-open"):
        return respond(202, None, {"Content-Location": f"{BASE}/export/none"})
    if "system/" not in str(asked.claims.get("scope")) or "fhirUser" in asked.claims:
        raise Refused(403, "forbidden")
    if place[:1] == ["Group"]:
        asked.find("Group", place[1], "r")
    named = query["_type"].split(",") if "_type" in query else sorted({kind for kind, _ in asked.server.store})
    files = {kind: seen for kind in named if (seen := readable(asked, kind)) is not None}
    if not files or ("_type" in query and len(files) < len(named)):
        raise Refused(403, "forbidden")
    key = "1" if asked.has("export-files-open") else f"job-{len(asked.server.jobs)}-long-enough"
    asked.server.jobs[key] = Job(client_of(asked), asked.headers.get("authorization", ""), files)
    return respond(202, None, {"Content-Location": f"{BASE}/export/{key}"})


def readable(asked: Asked, kind: str) -> list[Json] | None:
    """The records of that type that the token may read, None where it may not read that type."""
    from tests.smartauth_probe.small_server import Refused

    try:
        grants = asked.grants(kind, "r")
    except Refused:
        return None
    return [each for each in asked.server.current() if each["resourceType"] == kind and asked.sees(each, grants)]


def job(asked: Asked, key: str, kind: str = "") -> Response:
    """How far it is, or one of its files."""
    from tests.smartauth_probe.small_server import BASE, HIDDEN, respond

    found = asked.server.jobs.get(key)
    if found is None:
        raise HIDDEN
    is_own = found.client == client_of(asked) and "fhirUser" not in asked.claims
    is_own = is_own and not (asked.has("export-of-one-token") and asked.headers["authorization"] != found.token)
    is_open = is_own and all(readable(asked, each) is not None for each in found.files)
    if not (is_open or asked.has("export-of-anybody")):
        raise HIDDEN
    if asked.request.method == "DELETE":
        del asked.server.jobs[key]
        return respond(202, None)
    if kind:
        lines = "\n".join(json.dumps(each) for each in found.files[kind])
        return Response(200, respond(200, None).headers, lines.encode())
    output = [{"type": each, "url": f"{BASE}/export/{key}/{each}"} for each in found.files]
    return respond(200, {"requiresAccessToken": not asked.has("export-files-open"), "output": output})
