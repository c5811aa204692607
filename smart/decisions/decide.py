"""The one decision over a FHIR request: deny, allow, or allow what a view lets through (checklist, order of checks).

Default deny: what is not known here, an interaction, a type, a parameter that looks elsewhere, is refused.
"""

from collections.abc import Callable, Mapping

from smart.decisions import refusals
from smart.decisions.decision import Decision, Denial, DenialReason, deny
from smart.decisions.includes import included_types
from smart.decisions.interactions import EVERY_TYPE, LETTERS
from smart.decisions.parameters import matched_views, refused_cascade, refused_parameters
from smart.decisions.question import ANY_ID, Question, is_token_parameter
from smart.decisions.refusals import Refusal
from smart.decisions.several import Views, views_of_types
from smart.decisions.view import (
    OutOfScope,
    Reach,
    View,
    is_unconditional,
    is_visible,
    may_be_stored,
    of_compartment,
)
from smart.explanation import Why
from smart.fhir.definitions import ResourceDefinition, definitions
from smart.fhir.elements import Json, size
from smart.fhir.versions import resource_types

_AFTER = frozenset({"create", "update", "patch"})  # judged by what would be stored
_BEFORE = frozenset({"update", "patch", "delete"})  # judged by what is stored
_MANY = frozenset({"search-type", "history-type", "history-instance"})  # answers of more than one resource
_MOST_COMPARISONS = 100_000  # a matter of a tenth of a second; a record that needs more is not shown

LiesIn = Callable[[Json, View, ResourceDefinition, str], bool]


ELSEWHERE = "with this token some parameters cannot be evaluated: they would tell of records that it does not reach"
CASCADE = "this token may not delete everything, and what a delete takes along is of whatever type"
BESIDE_THE_HEADER = "an access token stands among the parameters: its place is the Authorization header alone"
INVALID_TOKEN = deny(DenialReason.INVALID_TOKEN, refusals.INVALID_TOKEN)


def decide(
    reach: Reach,
    question: Question,
    *,
    applies_views: bool,
    is_entry: bool = False,
    matches_in_view: bool = False,
    spans_types: bool = False,
) -> Decision:
    """The decision for a live token of this base. A conditional yes only to who applies views.

    `is_entry`: it is about this one resource of an answer, and not about the answer. `matches_in_view`: the asker
    looks for what a condition names only among the records of `matched` (WR-11). `spans_types`: it applies views also
    to answers of several types, and to what is asked of a compartment.
    """
    if question.is_of_several_types and spans_types:
        return _of_several_types(reach, question, applies_views=applies_views)
    letter = LETTERS.get(question.interaction)
    if (
        letter is None
        or question.type not in resource_types(reach.version)
        or (question.compartment and not spans_types)
    ):
        return _unknown_interaction(reach, question)
    try:
        view = reach.view(question.type, letter)
        matched = matched_views(reach, question) if matches_in_view else None
    except OutOfScope as error:
        return deny(DenialReason.INSUFFICIENT_SCOPE, refusals.INSUFFICIENT_SCOPE, **error.why)
    if elsewhere := refused_parameters(reach, question, view, matched):
        return _refused(reach, question, elsewhere)
    if hidden := _hidden(reach, question, view):
        return deny(DenialReason.NOT_IN_VIEW, hidden, rule="PC-02", what="the content that was sent is out of reach")
    return _allowed(reach, question, view, matched or {}, applies_views=applies_views, is_entry=is_entry)


def _allowed(
    reach: Reach, question: Question, view: View, matched: Views, *, applies_views: bool, is_entry: bool
) -> Decision:
    """The yes, with what is left to apply; a no to who does not apply it."""
    views = {question.type: of_compartment(view, question.compartment) if question.compartment else view}
    if question.include or question.revinclude:
        views |= _included(reach, question)
    if _is_final(question, views, matched, is_entry=is_entry):
        # a server may include in a search what nobody asked for: then it counts what is open of other types
        is_whole = is_entry or question.interaction != "search-type" or reach.sees_all(EVERY_TYPE)
        return Decision(views=views, matched=matched, is_final=is_whole or not applies_views)
    return Decision(views=views, matched=matched) if applies_views else _needs_view()


def _of_several_types(reach: Reach, question: Question, *, applies_views: bool) -> Decision:
    """The views of the types that are open, and no word about the others (SR-02)."""
    if not resource_types(reach.version).issuperset(question.types):
        return _unknown_interaction(reach, question)
    try:
        shown, found = views_of_types(reach, question)
    except OutOfScope as error:
        return deny(DenialReason.INSUFFICIENT_SCOPE, refusals.INSUFFICIENT_SCOPE, **error.why)
    if elsewhere := refused_parameters(reach, question, (), None):
        return _refused(reach, question, elsewhere)
    if reach.sees_all(EVERY_TYPE) and not question.compartment:
        return Decision(views=shown, matched=found, is_final=True)
    return Decision(views=shown, matched=found) if applies_views else _needs_view()


def _refused(reach: Reach, question: Question, parameters: tuple[str, ...]) -> Decision:
    """What a token among them is told has an error code of its own (RFC 6750 §3.1)."""
    rule, what, refusal = "SR-08", ELSEWHERE, refusals.PARAMETER_REFUSED
    if refused_cascade(reach, question):
        rule, what = "WR-14", CASCADE
    if any(map(is_token_parameter, parameters)):
        rule, what, refusal = "TV-17", BESIDE_THE_HEADER, refusals.SECOND_TOKEN
    why = Why(rule=rule, what=what, presented=", ".join(parameters))
    return Decision(Denial(DenialReason.PARAMETER_REFUSED, refusal, parameters, why))


def _needs_view() -> Decision:
    what = "the FHIR server does not say that it applies views"
    return deny(DenialReason.NEEDS_VIEW, refusals.NOT_ALLOWED, rule="PC-04", what=what)


def _is_final(question: Question, views: Mapping[str, View], matched: Mapping[str, View], *, is_entry: bool) -> bool:
    """Whether nothing is left to apply: the content that was sent has met it, or every record is open."""
    is_open = all(map(is_unconditional, views.values()))
    is_decided = is_open or _is_decided_by_content(question, views, is_entry=is_entry)
    return is_decided and all(map(is_unconditional, matched.values()))


def _unknown_interaction(reach: Reach, question: Question) -> Decision:
    what = f"{reach.version} has no such type, or FHIR no such interaction there"
    why = Why(rule="SCP-08", what=what, presented=question.type)
    return deny(DenialReason.UNKNOWN_INTERACTION, refusals.NOT_FOUND, **why)


def _hidden(reach: Reach, question: Question, view: View) -> Refusal | None:
    """How a resource is refused that its content shows to be out of reach; what is stored is hidden, not forbidden."""
    before, content = question.content_before, question.content
    if before is not None and not _fits(before, reach, question, view, is_visible):
        return refusals.NOT_FOUND
    if content is None:
        return None
    if question.interaction in _AFTER:
        return None if _fits(content, reach, question, view, may_be_stored) else refusals.NOT_ALLOWED
    return None if _fits(content, reach, question, view, is_visible) else refusals.NOT_FOUND


def _fits(content: Json, reach: Reach, question: Question, view: View, lies_in: LiesIn) -> bool:
    """Whether it is the resource that was asked for, and in view."""
    if not isinstance(content, dict) or content.get("resourceType") != question.type:
        return False
    if question.interaction == "create":
        content = {**content, "id": ANY_ID}  # a server gives a new id (FHIR http, create)
    elif question.id != ANY_ID and content.get("id", question.id) != question.id:
        return False
    if is_unconditional(view):
        return True
    if not _is_affordable(content, view):
        return False
    defined = definitions(reach.version).get(question.type)
    return defined is not None and lies_in({"id": question.id, **content}, view, defined, reach.base)


def _is_affordable(content: Json, view: View) -> bool:
    """Whether values and elements may be compared each with each: an app chooses its scopes and what it stores."""
    values = sum(len(criterion.values) for alternative in view for criterion in alternative.where)
    return not values or values * size(content) <= _MOST_COMPARISONS


def _is_decided_by_content(question: Question, views: Mapping[str, View], *, is_entry: bool) -> bool:
    """Whether everything that a view would be applied to was sent along."""
    if not is_entry and (question.interaction in _MANY or len(views) > 1):
        return False
    has_after = question.content is not None or question.interaction == "delete"
    has_before = question.content_before is not None or question.interaction not in _BEFORE
    return has_after and has_before


def _included(reach: Reach, question: Question) -> dict[str, View]:
    """The views of the types that _include and _revinclude add: nothing of those without a scope to read (SR-04)."""
    found: dict[str, View] = {}
    for name in sorted(included_types(question, definitions(reach.version)) - {question.type}):
        try:
            found[name] = reach.view(name, "r")
        except OutOfScope:
            found[name] = ()
    return found
