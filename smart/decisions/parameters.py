"""Which parameters may be evaluated: those that tell of no record beyond the views, and change none (SR-08, SR-09,
WR-11, WR-14).

A token is none for anybody: a FHIR server that passes it over repeats it in its links (TV-17, SR-15).
"""

from collections.abc import Collection, Mapping
from contextlib import suppress

from smart.decisions.chains import chained_types
from smart.decisions.includes import INCLUDE, REVINCLUDE, unclear_includes
from smart.decisions.question import ITERATE, Question, cascade_parameters, parameters_elsewhere, token_parameters
from smart.decisions.view import OutOfScope, Reach, View, is_unconditional
from smart.fhir.definitions import definitions
from smart.fhir.versions import resource_types


def refused_parameters(
    reach: Reach, question: Question, view: View, matched: Mapping[str, View] | None
) -> tuple[str, ...]:
    """What would tell of records beyond the view, or delete some; nothing is beyond it for a subject who may do that
    with everything.

    A token among them is refused first, and alone. `matched` is None where the asker does not say that it looks among
    the records of views alone.
    """
    may_match = (
        question.type in (matched or ()) or not question.is_conditional or _may_match_any(reach, question.type, view)
    )
    conditional = () if may_match else ("conditional",)
    if not question.parameters and not (question.include or question.revinclude or question.sort):
        return conditional
    if tokens := token_parameters(question):
        return tokens
    unclear = unclear_includes(question, reach.version, definitions(reach.version))
    elsewhere = tuple(dict.fromkeys((*parameters_elsewhere(question), *unclear)))
    if matched is not None:
        elsewhere = tuple(name for name in elsewhere if not _is_within(name, question, reach, matched, unclear))
    if elsewhere and all(map(reach.sees_all, resource_types(reach.version))):
        elsewhere = ()
    return tuple(dict.fromkeys((*elsewhere, *refused_cascade(reach, question), *conditional)))


def refused_cascade(reach: Reach, question: Question) -> tuple[str, ...]:
    """By which a delete would take others along: nothing is refused to a subject who may delete everything (WR-14)."""
    cascade = cascade_parameters(question)
    return () if cascade and all(map(reach.deletes_all, resource_types(reach.version))) else cascade


def matched_views(reach: Reach, question: Question) -> dict[str, View]:
    """Among which records conditions and chains look: those that a search would find (WR-11). Raises OutOfScope."""
    found = {question.type: reach.view(question.type, "s")} if question.is_conditional else {}
    for name in set(_chains(reach, question).values()):
        with suppress(OutOfScope):
            found[name] = reach.view(name, "s")
    return found


def _chains(reach: Reach, question: Question) -> Mapping[str, str]:
    return chained_types(question, definitions(reach.version)) if question.interaction == "search-type" else {}


def _is_within(
    name: str, question: Question, reach: Reach, matched: Mapping[str, View], unclear: Collection[str]
) -> bool:
    """Whether a parameter is evaluated among the records of a view, and tells of no others (SR-08, SR-09)."""
    if name in (INCLUDE + ITERATE, REVINCLUDE + ITERATE):
        return name.removesuffix(ITERATE) not in unclear
    return _chains(reach, question).get(name) in matched


def _may_match_any(reach: Reach, name: str, view: View) -> bool:
    """Whether a condition tells nothing new: the subject may change, and find, every record of the type (WR-11)."""
    try:
        return is_unconditional(view) and is_unconditional(reach.view(name, "s"))
    except OutOfScope:
        return False
