"""How the small server carries out a Bundle: each entry as a request of its own, a transaction all or not at all."""

from __future__ import annotations

import copy
import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from smartauth_probe.raw_http import Response
from smartauth_probe.requests import Presentation

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked

SERVICE = urlsafe_b64encode(json.dumps({"scope": "system/*.cruds"}).encode()).decode()


def carry_out(asked: Asked) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    content = json.loads(asked.request.body)
    if not isinstance(content, dict) or "type" not in content:
        raise Refused(400, "invalid")
    if content["type"] not in ("batch", "transaction"):
        if not asked.has("bundle-stored"):
            raise Refused(400, "invalid")
        asked.server.put({**content, "id": f"made-{len(asked.server.store)}"})
        return respond(201, list(asked.server.current())[-1])
    before = copy.deepcopy(asked.server.store)
    answered, made = [], dict[str, str]()
    for each in content["entry"]:
        answer = one(asked, each, made)
        if content["type"] == "transaction" and answer.status_code >= 400:
            asked.server.store = before
            return answer
        answered.append(as_entry(answer, each, made))
    return respond(200, {"resourceType": "Bundle", "type": f"{content['type']}-response", "entry": answered})


def one(asked: Asked, entry: Json, made: dict[str, str]) -> Response:
    from tests.smartauth_probe.small_server import BASE, respond

    url = entry["request"]["url"].removeprefix(BASE)
    if "://" in url:
        if asked.has("batch-fetches") and url.startswith("http://127.0.0.1:"):
            with suppress(OSError):
                urlopen(url).close()
        return respond(400, {"resourceType": "OperationOutcome"})
    path, _, query = url.lstrip("/").partition("?")
    body = json.dumps(entry.get("resource"))
    for name, made_as in made.items():
        body = body.replace(name, made_as)
    kept = [pair for pair in asked.request.headers if not (pair[0] == "Authorization" and asked.has("batch-open"))]
    headers = [*kept, *([("Authorization", f"Bearer {SERVICE}")] if asked.has("batch-open") else [])]
    if "ifNoneExist" in entry["request"]:
        headers.append(("If-None-Exist", entry["request"]["ifNoneExist"]))
    return asked.server.answer(Presentation(path, entry["request"]["method"], query, tuple(headers), body))


def as_entry(answer: Response, entry: Json, made: dict[str, str]) -> Json:
    """With the resource where it was read, and the place of one that was made."""
    content: Any = json.loads(answer.content) if answer.content else None
    response: Json = {"status": f"{answer.status_code} x"}
    if answer.status_code == 201:
        path = f"{content['resourceType']}/{content['id']}"
        made |= {entry["fullUrl"]: path} if "fullUrl" in entry else {}
        return {"response": {**response, "location": f"{path}/_history/1"}}
    if content and content["resourceType"] == "OperationOutcome":
        return {"response": {**response, "outcome": content}}
    return {"response": response, "resource": content}
