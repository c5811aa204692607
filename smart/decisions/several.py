"""Answers of several types: each type by its own scopes, and nothing of one without (IX-11, FO-01, FO-03, SR-02)."""

from collections.abc import Mapping
from typing import TypeAlias

from smart.decisions.interactions import EVERYTHING, LETTERS_OF_EACH
from smart.decisions.question import Question
from smart.decisions.view import OutOfScope, Reach, View, of_compartment
from smart.fhir.versions import resource_types

Views: TypeAlias = Mapping[str, View]


def views_of_types(reach: Reach, question: Question) -> tuple[Views, Views]:
    """What may be shown of each type, and among which records of it is looked. Raises OutOfScope where none is open.

    What is kept of a patient wants a right to read Patients as well: among those of that view the named one is looked
    for, so that one who is hidden is answered like one who never was (FO-02).
    """
    letters = LETTERS_OF_EACH[question.interaction]
    names = sorted(question.types or resource_types(reach.version))
    opened = [name for name in names if all(_is_open(reach, name, letter) for letter in letters)]
    if not opened:
        asked = ", ".join(question.types) or "any type"
        raise OutOfScope(what=f"no scope of the token covers {letters} of {asked}", rule="TV-20")
    shown, found = (
        {name: _view(reach, question, name, letter) for name in opened} for letter in (letters[0], letters[-1])
    )
    if question.interaction == EVERYTHING:
        found["Patient"] = _view(reach, question, "Patient", "r")
    return shown, found


def _is_open(reach: Reach, name: str, letter: str) -> bool:
    try:
        return bool(reach.view(name, letter))
    except OutOfScope:
        return False


def _view(reach: Reach, question: Question, name: str, letter: str) -> View:
    view = reach.view(name, letter)
    return of_compartment(view, question.compartment) if question.compartment else view
