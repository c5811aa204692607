"""What is told of a request beside the claims: worked out once for all requests that differ in nothing that decides."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from smart.decisions.answer import claims_json, denial_json, view_members
from smart.decisions.decide import decide
from smart.decisions.decision import Denial
from smart.decisions.question import ANY_ID, Question
from smart.decisions.subject import Subject
from smart.decisions.view import Reach

_MOST_PARAMETERS = 20  # of a question that is remembered, so that those of a stranger fill no memory


class Applied(NamedTuple):
    """What the asker says that it applies."""

    applies_views: bool
    matches_in_view: bool
    spans_types: bool


class Ruling(NamedTuple):
    """A decision as JSON that lacks the claims of the token: the whole answer of a no, else members of its context."""

    denial: Denial | None
    text: str

    def answer(self, claims: Mapping[str, Any]) -> str:
        """The answer to an evaluation about a token with these claims (AuthZEN §5.5)."""
        if self.denial is not None:
            return self.text
        return f'{{"decision": true, "context": {{"claims": {claims_json(claims)}{self.text}}}}}'


def rule(
    reach: Reach, question: Question, *, applies_views: bool, matches_in_view: bool = False, spans_types: bool = False
) -> Ruling:
    """The ruling for a live token. Remembered is a function of its arguments alone: whether a token lives is not."""
    applied = Applied(applies_views, matches_in_view, spans_types)
    is_of_one_type = not (question.is_of_several_types or question.compartment)  # others are long, and seldom
    is_repeated = question.content is None and question.content_before is None and not reach.subject.patients
    if is_repeated and is_of_one_type and len(question.parameters) <= _MOST_PARAMETERS:
        any_such = question._replace(id=ANY_ID)  # an id decides only together with a content
        return _remembered_ruling(reach.subject, reach.version, reach.base, any_such, applied)
    return _ruling(reach.subject, reach.version, reach.base, question, applied)


def _ruling(subject: Subject, version: str, base: str, question: Question, applied: Applied) -> Ruling:
    decision = decide(Reach(subject, version, base), question, **applied._asdict())
    if decision.denial is not None:
        return Ruling(decision.denial, denial_json(decision.denial, base))
    return Ruling(None, view_members(decision, version, base))


_remembered_ruling = lru_cache(maxsize=2048)(_ruling)
