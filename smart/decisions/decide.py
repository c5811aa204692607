"""The one decision over a FHIR request: deny, allow, or allow what a view lets through (checklist, order of checks).

Default deny: what is not known here, an interaction, a type, a parameter that looks elsewhere, is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from smart.decisions import refusal
from smart.decisions.caller import Caller
from smart.decisions.interactions import LETTERS
from smart.decisions.question import ANY_ID, Question, parameters_elsewhere
from smart.decisions.refusal import Refusal
from smart.decisions.view import OutOfScope, View, is_unconditional, is_visible, view_of
from smart.fhir.definitions import ResourceDefinition, definitions
from smart.fhir.elements import Json
from smart.fhir.versions import resource_types

_AFTER = frozenset({"create", "update", "patch"})  # judged by what would be stored
_BEFORE = frozenset({"update", "patch", "delete"})  # judged by what is stored


class Reason(StrEnum):
    """Why a request is refused, as the stage that refused it."""

    INVALID_TOKEN = "invalid_token"  # noqa: S105  # an error code
    UNKNOWN_INTERACTION = "unknown_interaction"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    PARAMETER_REFUSED = "parameter_refused"
    NOT_IN_VIEW = "not_in_view"
    NEEDS_VIEW = "needs_view"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do. `views`: for each type that the answer may hold, the records of it that may be shown.

    With `is_final` nothing of the views is left to apply. `parameters` are those that must not be evaluated.
    """

    allowed: bool
    views: Mapping[str, View] = field(default_factory=dict)
    is_final: bool = False
    reason: Reason | None = None
    refusal: Refusal | None = None
    parameters: tuple[str, ...] = ()


def deny(reason: Reason, told: Refusal, parameters: tuple[str, ...] = ()) -> Decision:
    """The decision that refuses for that reason, as the FHIR server shall tell it."""
    return Decision(False, reason=reason, refusal=told, parameters=parameters)


INVALID_TOKEN = deny(Reason.INVALID_TOKEN, refusal.INVALID_TOKEN)


def decide(caller: Caller, question: Question, *, version: str, base: str, applies_views: bool) -> Decision:
    """The decision for a caller with a live token of this base. A conditional yes only to who applies views."""
    letter = LETTERS.get(question.interaction)
    if letter is None or question.type not in resource_types(version):
        return deny(Reason.UNKNOWN_INTERACTION, refusal.NOT_ALLOWED)
    known = definitions(version)
    try:
        view = view_of(caller, question.type, letter, known.get(question.type), base)
    except OutOfScope:
        return deny(Reason.INSUFFICIENT_SCOPE, refusal.INSUFFICIENT_SCOPE)
    if elsewhere := _refused_parameters(caller, question, version, view):
        return deny(Reason.PARAMETER_REFUSED, refusal.PARAMETER_REFUSED, elsewhere)
    if hidden := _hidden(question, view, known.get(question.type), base):
        return deny(Reason.NOT_IN_VIEW, hidden)
    views = {question.type: view, **_included(caller, question, known, base)}
    final = _is_decided_by_content(question) or all(map(is_unconditional, views.values()))
    if not (final or applies_views):
        return deny(Reason.NEEDS_VIEW, refusal.NOT_ALLOWED)
    return Decision(True, views, final)


def _refused_parameters(caller: Caller, question: Question, version: str, view: View) -> tuple[str, ...]:
    """What would tell of records beyond the view; nothing is beyond it for a caller who may see everything."""
    elsewhere = parameters_elsewhere(question)
    conditional = ("conditional",) if question.is_conditional and not is_unconditional(view) else ()
    if elsewhere and not all(_sees_all(caller, name) for name in resource_types(version)):
        return (*elsewhere, *conditional)
    return conditional


def _sees_all(caller: Caller, name: str) -> bool:
    try:
        return all(is_unconditional(view_of(caller, name, letter, None, "")) for letter in "rs")
    except OutOfScope:
        return False


def _hidden(question: Question, view: View, defined: ResourceDefinition | None, base: str) -> Refusal | None:
    """How a resource is refused that its content shows to be out of reach; what is stored is hidden, not forbidden."""
    before, content = question.content_before, question.content
    if before is not None and not _fits(before, question, view, defined, base):
        return refusal.NOT_FOUND
    if content is not None and not _fits(content, question, view, defined, base):
        return refusal.NOT_ALLOWED if question.interaction in _AFTER else refusal.NOT_FOUND
    return None


def _fits(content: Json, question: Question, view: View, defined: ResourceDefinition | None, base: str) -> bool:
    """Whether it is the resource that was asked for, and in view."""
    if not isinstance(content, dict) or content.get("resourceType") != question.type:
        return False
    if question.id != ANY_ID and content.get("id", question.id) != question.id:
        return False
    if is_unconditional(view):
        return True
    return defined is not None and is_visible({"id": question.id, **content}, view, defined, base)


def _is_decided_by_content(question: Question) -> bool:
    """Whether everything that a view would be applied to was sent along."""
    has_after = question.content is not None or question.interaction == "delete"
    has_before = question.content_before is not None or question.interaction not in _BEFORE
    return has_after and has_before


def _included(
    caller: Caller, question: Question, known: Mapping[str, ResourceDefinition], base: str
) -> dict[str, View]:
    """The views of the types that _include and _revinclude add: nothing of those without a scope to read (SR-04)."""
    found: dict[str, View] = {}
    for name in _included_types(question, known):
        try:
            found[name] = view_of(caller, name, "r", known.get(name), base)
        except OutOfScope:
            found[name] = ()
    return found


def _included_types(question: Question, known: Mapping[str, ResourceDefinition]) -> Iterator[str]:
    for value in question.include:
        source, _, rest = value.partition(":")
        name, _, target = rest.partition(":")
        parameter = known[source].parameters.get(name) if source in known else None
        yield from {target} if target else parameter.targets if parameter else ()
    for value in question.revinclude:
        yield value.partition(":")[0]
