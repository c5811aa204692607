"""Which tokens FHIR servers asked about, and what they were told: in development, in memory."""

import json
from dataclasses import dataclass
from http import HTTPStatus

from oauth.http.asgi import Scope
from oauth.http.endpoint import parsed_request
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.workbench.memory.recent import Recent
from smart.decisions.authzen import MalformedEvaluation, parse_presented_token
from smart.decisions.decision import DenialReason
from smart.decisions.gateway import GATEWAY
from smart.digests import sha256_hex

MOST_TOKENS, MOST_CLIENTS = 2000, 200
PATHS = ("/o/introspect", "/access/v1/evaluation", "/access/v1/evaluations", GATEWAY)
_OF_CLIENTS = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)  # others tell of the gateway itself


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


def remember_question(scope: Scope, answer: MachineResponse, took: int) -> None:
    """Keeps in mind who asked about what, as a watcher of answers; what says that its asker proved nothing is none."""
    request = parsed_request(scope)
    if request is None or scope["path"] not in PATHS:
        return
    digest = asked_digest(request)
    is_active = is_called_active(scope["path"], answer, digest)
    if is_active is not None:
        _remember(request, digest, is_active)


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


def is_called_active(path: str, answer: MachineResponse, digest: str) -> bool | None:
    """Whether the answer speaks of a token that opens something; None where it is about no token."""
    if path == GATEWAY:
        return answer.status != HTTPStatus.UNAUTHORIZED if digest and answer.status in _OF_CLIENTS else None
    if answer.status != HTTPStatus.OK:
        return None
    body = json.loads(answer.body)
    reasons = [one["context"].get("reason") for one in body.get("evaluations", [body]) if "context" in one]
    return body.get("active") is not False and DenialReason.INVALID_TOKEN not in reasons


def _remember(request: MachineRequest, digest: str, is_active: bool) -> None:
    client_id = request.credentials.client_id
    before = _by_client.get(client_id)
    question = Question(client_id, request.now, is_active, before.number + 1 if before else 1)
    _by_client.put(client_id, question)
    if digest:
        _by_digest.put(digest, question)
