"""Which tokens FHIR servers asked about, and what they were told: in development, in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from oauth.http.endpoint import Handler
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.workbench.memory.recent import Recent
from smart.decisions.authzen import MalformedEvaluation, parse_presented_token
from smart.decisions.decide import Reason
from smart.digests import sha256_hex

MOST_TOKENS, MOST_CLIENTS = 2000, 200


@dataclass(frozen=True, slots=True)
class Question:
    """One introspection or decision: by which client, when, and whether the answer called the token active.

    `number` counts the questions of that client since this process began.
    """

    client_id: str
    at: int
    is_active: bool
    number: int


_by_digest: Recent[str, Question] = Recent(MOST_TOKENS)
_by_client: Recent[str, Question] = Recent(MOST_CLIENTS)


def remember_questions(handler: Handler) -> Handler:
    """The same endpoint, which keeps in mind who asked about what; the answer is not touched."""

    async def remembering(request: MachineRequest) -> MachineResponse:
        response = await handler(request)
        if response.status == HTTPStatus.OK:
            _remember(request, response)
        return response

    return remembering


def question_about(token: str) -> Question | None:
    """The last question about this very token, if there was one."""
    return _by_digest.get(sha256_hex(token))


def last_question_of(client_id: str) -> Question | None:
    """The last question that this client asked."""
    return _by_client.get(client_id)


def asked_digest(request: MachineRequest) -> str:
    """The digest of the token that is asked about, of many decisions by the first; "" where that cannot be read."""
    if not request.members:
        return sha256_hex(request.parameters.get("token", ""))
    entries = request.members.get("evaluations")
    first = entries[0] if isinstance(entries, list) and entries and isinstance(entries[0], dict) else {}
    try:
        return parse_presented_token({**request.members, **first}).digest
    except MalformedEvaluation:
        return ""


def _is_called_active(body: Mapping[str, Any]) -> bool:
    """A decision says of a token that opens nothing that it is not valid."""
    reasons = [one["context"].get("reason") for one in body.get("evaluations", [body]) if "context" in one]
    return body.get("active") is not False and Reason.INVALID_TOKEN not in reasons


def _remember(request: MachineRequest, response: MachineResponse) -> None:
    client_id, digest = request.credentials.client_id, asked_digest(request)
    before = _by_client.get(client_id)
    is_active = _is_called_active(json.loads(response.body))
    question = Question(client_id, request.now, is_active, before.number + 1 if before else 1)
    _by_client.put(client_id, question)
    if digest:
        _by_digest.put(digest, question)
