"""Where each request is decided: is it done here at all, what do the scopes say, which view do they open.

A caller who comes here has a token that is good at this base (fhir/http/views.py). What is decided is a pure function
(smart/decisions/decide.py). What a handler gets is the view, and the store answers nobody without one (fhir/store).
"""

from contextlib import nullcontext
from dataclasses import replace

from django.db import transaction

from fhir.http.accesses import record_access
from fhir.http.answer import Answer
from fhir.http.handlers import HANDLERS
from fhir.http.interaction import Asked, Caller, Interaction
from fhir.http.search_parameters import if_none_exist
from fhir.operation_outcome import MethodNotAllowed, RequestDenied, TypeNotServed
from fhir.versions.version import ResourceType, Version
from smart.decisions.decide import decide
from smart.decisions.decision import Decision, Denial, DenialReason
from smart.decisions.interactions import BATCH, CAPABILITIES, EVERY_TYPE, LETTERS, RequestPath
from smart.decisions.question import Question, question_at
from smart.decisions.refusals import NOT_ALLOWED
from smart.decisions.view import Reach

ROLE = "a user scope covers this, and the person is of no type that may write here"


def perform(caller: Caller, asked: Asked) -> Answer:
    """What the request gives: permissions, decision, then data, and the event that tells of it. Raises FhirError."""
    decision = require_allowed(caller, asked)
    resource_type = require_served(caller.version, asked)
    # a write and its event are stored both or not at all
    with transaction.atomic() if LETTERS.get(asked.interaction, "") in ("c", "u", "d") else nullcontext():
        answer = HANDLERS[asked.interaction](Interaction(caller, asked, resource_type, decision))
        record_access(caller, asked, answer)
    return answer


def require_allowed(caller: Caller, asked: Asked) -> Decision:
    """The decision. Raises what it says; what is done here for nobody goes before what is refused of parameters."""
    if asked.path.interactions and not asked.interaction:
        raise not_allowed(caller.version, asked.path)  # HTTP's word for such a method (RFC 9110 §15.5.6)
    criteria = if_none_exist(asked.headers)
    question = question_at(asked.path, asked.method, asked.parameters, criteria=criteria)
    decision = _decide(caller.reach, question)
    if decision.denial is not None:
        if decision.denial.reason is DenialReason.PARAMETER_REFUSED:
            require_served(caller.version, asked)
        raise RequestDenied(_by_role(caller, question, decision.denial), caller.base)
    return decision


def _decide(reach: Reach, question: Question) -> Decision:
    return decide(reach, question, applies_views=True, matches_in_view=True, spans_types=True)


def _by_role(caller: Caller, question: Question, denial: Denial) -> Denial:
    """The denial; where the scopes would allow it, one that asks for no other scopes (US-03)."""
    if not _decide(caller.by_scopes, question).allowed:
        return denial
    return replace(denial, refusal=NOT_ALLOWED, why={"rule": "US-03", "what": ROLE})


def require_served(version: Version, asked: Asked) -> ResourceType:
    """The type, where this server does the interaction on it. Raises TypeNotServed or MethodNotAllowed."""
    resource_type = _resource_type(version, asked.path)
    if resource_type is None:
        raise TypeNotServed
    if asked.interaction not in resource_type.interactions or asked.interaction not in HANDLERS:
        raise not_allowed(version, asked.path)
    return resource_type


def not_allowed(version: Version, path: RequestPath) -> MethodNotAllowed:
    """405 names the methods that are served here; at a type that is not, none."""
    resource_type = _resource_type(version, path)
    done = {*resource_type.interactions, CAPABILITIES, BATCH} if resource_type else {CAPABILITIES}
    methods = [method for method, kind in path.interactions.items() if kind in done]
    return MethodNotAllowed(headers={"Allow": ", ".join([*methods, *(["HEAD"] if "GET" in methods else [])])})


def _resource_type(version: Version, path: RequestPath) -> ResourceType | None:
    """What the path is about, None for a type that is not held here."""
    return version.of_several if path.type == EVERY_TYPE else version.types.get(path.type)
