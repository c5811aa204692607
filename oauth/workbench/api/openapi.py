"""`/dev/openapi.json`: the JSON doors of the workbench, described in OpenAPI 3.1 for tools that write clients."""

from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from oauth.http.json_response import json_response
from oauth.workbench.api import probe_results
from oauth.workbench.api.tokens import CannotMintHere
from oauth.workbench.faults import switch
from oauth.workbench.orders.changes import LONGEST
from smart.http.errors import InvalidRequest
from smartauth_probe.catalogue import groups, kinds
from smartauth_probe.checks.check import Outcome
from smartauth_probe.introspection_faults import introspection_faults
from smartauth_probe.token_order import MEMBERS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ERRORS = [InvalidRequest.code, CannotMintHere.code]
LIMITS: dict[str, Schema] = {"lifetime": {"minimum": 1, "maximum": LONGEST}}


@csrf_exempt  # a POST is answered 405, not 403
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """The description, which is the same for every server of this version."""
    return json_response(HTTPStatus.OK, description())


@cache
def description() -> dict[str, Any]:
    """Made from the lists that the doors themselves use."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "smartauth: test tokens, in development only", "version": "1"},
        "paths": {
            "/dev/tokens": {"post": _operation("createToken", "A token, good or bad.", HTTPStatus.CREATED, "Token")},
            "/dev/tokens/kinds": {"get": _operation("listKinds", "The catalogue.", HTTPStatus.OK, "Catalogue")},
            "/dev/introspection-faults": _faults(),
            "/dev/probe/results": {"post": _probe_results()},
        },
        "components": {"schemas": _schemas()},
    }


def _faults() -> dict[str, Any]:
    named = {"name": "resource_server", "in": "query", "required": True, "schema": TEXT}
    end = {"operationId": "endFault", "summary": "Introspection answers it as it should.", "parameters": [named]}
    return {
        "get": _operation("listFaults", "All faults, and who meets one.", HTTPStatus.OK, "Faults"),
        "post": _operation("beginFault", "Introspection misbehaves.", HTTPStatus.CREATED, "CurrentFault", "NewFault"),
        "delete": {**end, "responses": {str(HTTPStatus.NO_CONTENT.value): {"description": "It is over."}}},
    }


def _probe_results() -> dict[str, Any]:
    kept = {"description": "It is kept in mind until this server stops."}
    refused = {"description": "Why not.", "content": _content("Error")}
    return {
        "operationId": "tellProbeResult",
        "summary": "With what result the probe ran from a shell.",
        "requestBody": {"required": True, "content": _content("ProbeResult")},
        "responses": {str(HTTPStatus.NO_CONTENT.value): kept, str(HTTPStatus.BAD_REQUEST.value): refused},
    }


def _operation(name: str, summary: str, status: HTTPStatus, answer: str, order: str = "Order") -> dict[str, Any]:
    right = {str(status.value): {"description": summary, "content": _content(answer)}}
    if status != HTTPStatus.CREATED:
        return {"operationId": name, "summary": summary, "responses": right}
    refused = {str(HTTPStatus.BAD_REQUEST.value): {"description": "Why not.", "content": _content("Error")}}
    body = {"required": True, "content": _content(order)}
    return {"operationId": name, "summary": summary, "requestBody": body, "responses": {**right, **refused}}


def _content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": _reference(schema)}}


def _reference(schema: str) -> Schema:
    return {"$ref": f"#/components/schemas/{schema}"}


def _list(schema: str) -> Schema:
    return {"type": "array", "items": _reference(schema)}


def _object(properties: dict[str, Schema], *, optional: tuple[str, ...] = (), is_open: bool = False) -> Schema:
    """An object; members of other names stand in it only where it is open."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": is_open}


def _schemas() -> dict[str, Schema]:
    order = _order()
    return {
        "Order": _object(order, optional=tuple(name for name in order if name != "client")),
        "Token": _object(_token(), optional=("patient", "bad"), is_open=True),
        "Kind": _object(_kind()),
        "Answer": _object(_answer()),
        "Request": _object(_request()),
        "Catalogue": _object({"groups": _list("Group")}),
        "Group": _object({"title": TEXT, "sentence": TEXT, "kinds": _list("Kind")}),
        "Faults": _object({"faults": _list("Fault"), "current": _list("CurrentFault")}),
        "Fault": _object({**_fault(), "sentence": TEXT, "statuses": {"type": "array", "items": NUMBER}}),
        "NewFault": _object(_new_fault(), optional=("seconds",)),
        "CurrentFault": _object({**_new_fault(), "ends_at": {**TEXT, "description": "In UTC."}}),
        "ProbeResult": _object(_probe_result()),
        "Error": _object(
            {"error": {**TEXT, "enum": ERRORS}, "error_description": TEXT, "error_uri": TEXT}, optional=("error_uri",)
        ),
    }


def _order() -> dict[str, Schema]:
    limits = {**LIMITS, "bad": {"enum": list(kinds())}}
    return {
        name: {**member.schema, **limits.get(name, {}), "description": member.sentence}
        for name, member in MEMBERS.items()
    }


def _fault() -> dict[str, Schema]:
    return {"fault": {**TEXT, "enum": list(introspection_faults())}, "source": TEXT, "policy": TEXT}


def _new_fault() -> dict[str, Schema]:
    seconds = {**NUMBER, "minimum": 0, "maximum": switch.LONGEST, "description": "Default: 300."}
    return {"resource_server": TEXT, "fault": _fault()["fault"], "seconds": seconds}


def _probe_result() -> dict[str, Schema]:
    def number(most: int, least: int = 0) -> Schema:
        return {**NUMBER, "minimum": least, "maximum": most}

    checks = number(probe_results.MOST_CHECKS)
    return {
        "server": {**TEXT, "description": "The base of a FHIR server that is registered here."},
        "seconds": number(probe_results.DAY),
        "chosen": checks,
        "counts": _object(dict.fromkeys((outcome.value for outcome in Outcome), checks)),
        "failed": {**TEXTS, "description": "Names of checks."},
        "answers": {
            "type": "object",
            "additionalProperties": number(probe_results.HIGHEST_STATUS, probe_results.LEAST_STATUS),
            "description": "The status that each kind of token got that passed or failed.",
        },
        "stopped": {"type": "boolean"},
    }


def _answer() -> dict[str, Schema]:
    return {
        "statuses": {"type": "array", "items": NUMBER},
        "errors": {"type": "object", "additionalProperties": TEXT},
        "as_unknown_id": {"type": "boolean"},
        "not_applicable": {"type": "array", "items": NUMBER},
    }


def _request() -> dict[str, Schema]:
    return {
        **dict.fromkeys(("base", "path", "method", "query", "body"), TEXT),
        "headers": {"type": "array", "items": {**TEXTS, "minItems": 2, "maxItems": 2}},
    }


def _token() -> dict[str, Schema]:
    texts = dict.fromkeys(("access_token", "token_type", "scope", "patient"), TEXT)
    return {**texts, "expires_in": NUMBER, "request": _reference("Request"), "bad": _reference("Kind")}


def _kind() -> dict[str, Schema]:
    return {
        **dict.fromkeys(("id", "wrong", "policy", "why", "fix"), TEXT),
        "kind": {**TEXT, "enum": list(kinds())},
        "group": {**TEXT, "enum": [group.title for group in groups()]},
        "fools": {"type": "array", "items": {**TEXT, "enum": ["jwt", "introspection"]}},
        "answer": _reference("Answer"),
        "code": _object(dict.fromkeys(("wrong", "right"), TEXT)),
    }
