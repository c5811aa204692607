"""What is told of a request beside the claims: worked out once for all requests that differ in nothing that decides."""

from typing import NamedTuple

from smart.decisions.answer import denial_json, view_members
from smart.decisions.decide import decide
from smart.decisions.decision import Denial
from smart.decisions.question import ANY_ID, Question
from smart.decisions.subject import Subject
from smart.decisions.view import Reach
from smart.remembered import remembered_until_forgotten

_MOST_PARAMETERS = 20  # of a question that is remembered, so that those of a stranger fill no memory


class Ruling(NamedTuple):
    """A decision as JSON that lacks the claims of the token: the whole answer of a no, else members of its context."""

    denial: Denial | None
    text: str

    def answer(self, claims: str) -> str:
        """The answer to an evaluation about a token of which these claims are told, as JSON (AuthZEN §5.5)."""
        if self.denial is not None:
            return self.text
        return f'{{"decision": true, "context": {{"claims": {claims}{self.text}}}}}'


def rule(
    subject: Subject,
    version: str,
    base: str,
    question: Question,
    *,
    applies_views: bool,
    matches_in_view: bool = False,
    spans_types: bool = False,
) -> Ruling:
    """The ruling for a live token. Remembered is a function of its arguments alone: whether a token lives is not."""
    is_of_one_type = not (question.is_of_several_types or question.compartment)  # others are long, and seldom
    is_repeated = question.content is None and question.content_before is None and not subject.patients
    applied = (applies_views, matches_in_view, spans_types)
    if is_repeated and is_of_one_type and len(question.parameters) <= _MOST_PARAMETERS:
        any_such = question.about(ANY_ID)  # an id decides only together with a content
        return _remembered_ruling(subject, version, base, any_such, applied)
    return _ruling(subject, version, base, question, applied)


def _ruling(subject: Subject, version: str, base: str, question: Question, applied: tuple[bool, bool, bool]) -> Ruling:
    applies_views, matches_in_view, spans_types = applied
    decision = decide(
        Reach(subject, version, base),
        question,
        applies_views=applies_views,
        matches_in_view=matches_in_view,
        spans_types=spans_types,
    )
    if decision.denial is not None:
        return Ruling(decision.denial, denial_json(decision.denial, base))
    return Ruling(None, view_members(decision, version, base))


_remembered_ruling = remembered_until_forgotten(_ruling, 2048)
