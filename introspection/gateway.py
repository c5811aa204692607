"""Decisions for gateways that read a status and headers alone: nginx auth_request, Envoy ext_authz, Kong."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from accounts import clock
from oauth.http.asgi import Scope
from oauth.http.credentials import parse_credentials
from oauth.http.endpoint import Handler
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse, oauth_error_response
from smart.decisions.gateway import (
    CREDENTIALS,
    GATEWAY,
    GatewayAnswer,
    MalformedGatewayRequest,
    challenge,
    evaluation_of,
    gateway_answer,
)
from smart.decisions.refusals import NO_TOKEN, NOT_ALLOWED
from smart.explanation import Explanation
from smart.http.errors import InvalidRequest, OAuthError
from smart.http.parameters import Parameters

TOKENLESS = Explanation("TV-01", "the request carries no access token, or something that has not the form of one")
NEEDS_VIEW = Explanation("PC-04", "only some records may be shown, and the gateway does not limit it to them")


def parse_gateway_request(scope: Scope, headers: dict[bytes, bytes], body: bytes) -> MachineRequest:
    """The question that the headers stand for, as members. Raises InvalidRequest or InvalidClient."""
    peer = scope["client"][0] if scope.get("client") else ""
    own = headers.get(CREDENTIALS.encode(), b"").decode("latin-1")
    credentials = parse_credentials(own or None, Parameters([]))
    request = MachineRequest(scope["path"], headers, peer, Parameters([]), credentials, clock.now())
    try:
        request.members = evaluation_of(scope["headers"], scope["method"], _url_below(scope))
    except MalformedGatewayRequest as error:
        raise InvalidRequest(str(error), rule="SD-27") from None
    return request


def _url_below(scope: Scope) -> str:
    """The client's URL where a gateway has put it behind the endpoint's, as it was sent."""
    path, query = scope["raw_path"].decode("latin-1").removeprefix(GATEWAY), scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if path and query else path


def answer_gateway(evaluate: Handler) -> Handler:
    """The endpoint that answers in headers what `evaluate` answers in JSON."""
    return partial(_evaluate_for_gateway, evaluate)


async def _evaluate_for_gateway(evaluate: Handler, request: MachineRequest) -> MachineResponse:
    if missing := challenge(request.members):
        return _answer(
            GatewayAnswer(HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": missing}), NO_TOKEN.outcome(), TOKENLESS
        )
    response = await evaluate(request)
    members = json.loads(response.body)
    found, context = gateway_answer(request.members, members), members["context"]
    if found.status == HTTPStatus.OK:
        return _answer(found, {"decision": True})
    why = NEEDS_VIEW if members["decision"] is True else response.explanation
    return _answer(found, context.get("outcome", NOT_ALLOWED.outcome()), why)


def _answer(found: GatewayAnswer, body: Mapping[str, Any], explanation: Explanation | None = None) -> MachineResponse:
    return MachineResponse(found.status, json.dumps(body).encode(), tuple(found.headers.items()), explanation)


def gateway_error(error: OAuthError) -> MachineResponse:
    """What is wrong with the gateway, and not with the client's token: 401 and 403 would be taken for that."""
    response = oauth_error_response(error)
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return response
    return replace(response, status=HTTPStatus.INTERNAL_SERVER_ERROR, headers=())
