"""The operations of the small server: $everything and others that read, $graphql, and a few that write."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from smartauth_probe.raw_http import Response
from tests.smartauth_probe.small_exports import export

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked

READ_ONE = ("$summary", "$graph", "$health-cards-issue", "$meta", "$validate")
SEARCHES = {"$lastn": "Observation", "$stats": "Observation", "$docref": "DocumentReference"}
CHANGES = ("$meta-add", "$meta-delete", "$expunge", "$reindex", "$process-message")


def operate(asked: Asked, parts: list[str]) -> Response:
    from tests.smartauth_probe.small_server import Refused, bundle, respond

    *place, name = parts
    if name == "$export":
        return export(asked, place)
    if name == "$graphql":
        return respond(200, {"data": graphql(asked, place, json.loads(asked.request.body)["query"])})
    if name == "$everything":
        return respond(200, bundle(everything(asked, place), "searchset", None))
    if name in SEARCHES or name == "$match":
        return searched(asked, name)
    if name in READ_ONE and len(place) == 2:
        found = known(asked, place) if asked.has("operation-open") else asked.find(place[0], place[1], "r")
        shown = found if asked.has("operation-open") else {"resourceType": "Parameters"}
        return respond(200, shown)
    if name in CHANGES:
        return changed(asked, place, name)
    if asked.has("operation-unknown-open"):
        known(asked, place or ["Patient", "amy"])
        return respond(200, bundle(list(asked.server.current()), "searchset", None))
    raise Refused(404, "not-supported")


def known(asked: Asked, place: list[str]) -> Json:
    """Whatever stands there, whatever the token. Raises Refused."""
    from tests.smartauth_probe.small_server import HIDDEN

    versions = asked.server.store.get((place[0], place[-1]))
    if not versions or versions[-1] is None:
        raise HIDDEN
    return versions[-1]


def everything(asked: Asked, place: list[str]) -> list[Json]:
    from tests.smartauth_probe.small_server import patients_of

    if asked.has("everything-open"):
        return list(asked.server.current())
    if len(place) == 2:
        found = asked.find(place[0], place[1], "r")
        if place[0] != "Patient":
            return [found]
    seen = [each for each in asked.server.current() if may_read(asked, each)]
    return [each for each in seen if len(place) < 2 or place[1] in patients_of(each)]


def may_read(asked: Asked, resource: Json) -> bool:
    from tests.smartauth_probe.small_server import Refused

    try:
        return asked.sees(resource, asked.grants(resource["resourceType"], "r"))
    except Refused:
        return False


def searched(asked: Asked, name: str) -> Response:
    """As a search with the same criteria."""
    from tests.smartauth_probe.small_search import Search
    from tests.smartauth_probe.small_server import bundle, respond

    if asked.has("operation-open"):
        return respond(200, bundle(list(asked.server.current()), "searchset", None))
    if name == "$match":
        patient = json.loads(asked.request.body)["parameter"][0]["resource"]
        return Search(asked, "Patient", [("identifier", each["value"]) for each in patient["identifier"]]).answer()
    pairs = [pair for pair in parse_qsl(asked.request.query) if pair[0] in ("patient", "subject")]
    return Search(asked, SEARCHES[name], pairs).answer()


def changed(asked: Asked, place: list[str], name: str) -> Response:
    from tests.smartauth_probe.small_server import Refused, respond

    if asked.has("operation-open"):
        return respond(200, {"resourceType": "Parameters"})
    if name.startswith("$meta"):
        asked.find(place[0], place[1], "u")
    raise Refused(403, "forbidden")


def graphql(asked: Asked, place: list[str], query: str) -> dict[str, Any]:
    """One member: a record by its id, a list of them, or the id of the one that it is asked on."""
    of_id = re.match(r'\{(\w+)\(id:"([^"]+)"\)(.*)', query)
    if place or of_id:
        kind, key = (of_id[1], of_id[2]) if of_id else (place[0], place[1])
        found = one(asked, kind, key)
        if not found or "subject{" not in query:
            return {"id": key} if place and found else {kind: {"id": key} if found else None}
        subject = one(asked, *found["subject"]["reference"].split("/"))
        return {kind: {"subject": {"resource": subject}}}
    of_list = re.match(r'\{(\w+)List(?:\(patient:"([^"]+)"\))?', query)
    assert of_list
    kind, patient = of_list.groups()
    every = [each for each in asked.server.current() if each["resourceType"] == kind]
    seen = [each for each in every if may_read(asked, each) or asked.has("graphql-open")]
    return {f"{kind}List": [{"id": each["id"]} for each in seen if not patient or patient in str(each)]}


def one(asked: Asked, kind: str, key: str) -> Json | None:
    """The record, None where there is none for the caller."""
    versions = asked.server.store.get((kind, key)) or [None]
    found = versions[-1]
    return found if found and (may_read(asked, found) or asked.has("graphql-open")) else None
