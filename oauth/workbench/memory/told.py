"""What FHIR servers heard here about tokens and records: in development, in memory.

Told is not done: what a FHIR server answered then is known from it, or from who asked it, alone.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from oauth.http.asgi import Scope
from oauth.http.endpoint import parsed_request
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.workbench.memory.minted_kinds import kind_of
from oauth.workbench.memory.questions import PATHS, asked_digest, is_called_active
from oauth.workbench.memory.recent import Recent
from smart.decisions.authzen import MalformedEvaluation, parse_evaluation
from smart.decisions.decision import DenialReason
from smart.decisions.gateway import GATEWAY
from smart.fhir.audience import canonical_url
from smartauth_probe.catalogue import kinds

MOST = 1000
INTROSPECT, ANY_BASE = "/o/introspect", ""
NOT_IN_VIEW_RULE = "PC-02"  # what a gateway is told of a record that its token does not reach is explained by it


class Topic(StrEnum):
    """What it heard: a good token is good, a bad one is not active, some records alone may be shown."""

    GOOD = "good"
    NOT_ACTIVE = "not_active"
    SOME_RECORDS = "some_records"


@dataclass(frozen=True, slots=True)
class Told:
    """The last time, the kind of its token ("" for one of no kind of the catalogue), and how often."""

    at: int
    kind: str
    number: int


_told: Recent[tuple[str, str, Topic], Told] = Recent(MOST)


def remember_told(scope: Scope, answer: MachineResponse, took: int) -> None:
    """Keeps in mind what this answer says to the FHIR server that asked, as a watcher of answers."""
    request = parsed_request(scope)
    if request is None or scope["path"] not in PATHS:
        return
    digest = asked_digest(request)
    is_active = is_called_active(scope["path"], answer, digest)
    if is_active is None:
        return
    kind = kind_of(digest)
    for topic in _topics(scope["path"], answer, is_active=is_active):
        if topic is Topic.NOT_ACTIVE or kind not in kinds() or kinds()[kind].is_good:
            _remember(request, topic, kind)


def told(client_id: str, base: str, topic: Topic) -> Told | None:
    """What the client of a FHIR server heard about that base; with ANY_BASE, about whichever."""
    return _told.get((client_id, base, topic))


def _topics(path: str, answer: MachineResponse, *, is_active: bool) -> set[Topic]:
    if not is_active:
        return {Topic.NOT_ACTIVE}
    if path == INTROSPECT:
        return {Topic.GOOD}
    return set(_of_gateway(answer) if path == GATEWAY else _of_decisions(answer))


def _of_gateway(answer: MachineResponse) -> Iterator[Topic]:
    if answer.status == HTTPStatus.OK:
        yield Topic.GOOD
    is_limited = ("X-Smartauth-View", "patient") in answer.headers
    if is_limited or (answer.explanation and answer.explanation.rule == NOT_IN_VIEW_RULE):
        yield Topic.SOME_RECORDS


def _of_decisions(answer: MachineResponse) -> Iterator[Topic]:
    body = json.loads(answer.body)
    for one in body.get("evaluations", [body]):
        context = one.get("context", {})
        if one["decision"] is True:
            yield Topic.GOOD
        if "view" in context or context.get("reason") == DenialReason.NOT_IN_VIEW:
            yield Topic.SOME_RECORDS


def _remember(request: MachineRequest, topic: Topic, kind: str) -> None:
    client_id = request.credentials.client_id
    for base in {ANY_BASE, *_bases(request)}:
        before = _told.get((client_id, base, topic))
        _told.put((client_id, base, topic), Told(request.now, kind, before.number + 1 if before else 1))


def _bases(request: MachineRequest) -> Iterable[str]:
    """The base that is asked about; at introspection that of the token, where it is known."""
    if request.members:
        entries = request.members.get("evaluations") or [{}]
        try:
            return [parse_evaluation({**request.members, **entries[0]}).base]
        except (MalformedEvaluation, TypeError, LookupError):
            return []
    audience = json.loads(request.token_claims or "{}").get("aud", [])
    named = audience if isinstance(audience, list) else [audience]
    return [canonical_url(name) for name in named if isinstance(name, str)]
