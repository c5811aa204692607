"""Why something was refused, in words for developers and operators (AZ-25): the rule, what came, what was expected.

Nothing here goes on the wire outside development, and never a token, code, secret or jti.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict

from smart.text import replace_unsafe_characters

HEADER = "X-Smartauth-Reason"
LONGEST_LINE = 300
LONGEST_TEXT = 200
_USER_OF_URL = re.compile(r"//[^/?#\s]*@")
_ATTRIBUTE = "smart_explanation"


class Why(TypedDict, total=False):
    """What a refusal may say beside its sentence: a line of docs/specification, and the row of the bad input.

    `what` is for explanations alone, where event and answer say less.
    """

    rule: str
    what: str
    case: str
    presented: str
    expected: str
    since: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """One rule that refused. `since` is in microseconds, 0 where it does not matter; `case` is a row such as E47.

    `reference` is what leads to it, such as 7F3K-29QD, "" where nobody gave it one.
    """

    rule: str
    what: str
    presented: str = ""
    expected: str = ""
    since: int = 0
    case: str = ""
    reference: str = ""

    @property
    def line(self) -> str:
        """Rule, sentence and reference as one line of ASCII for a header, bounded."""
        text = replace_unsafe_characters(f"{self.rule} {self.what}", "?")
        line = text.encode("ascii", "replace").decode()[:LONGEST_LINE]
        return f"{line} ({self.reference})" if self.reference else line


class State(StrEnum):
    """What became of a rule."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_REACHED = "not reached"
    ALSO_TRUE = "not reached, but also true"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """A rule, what it demands, and what became of it; of one that refused also why, what came, what was expected."""

    rule: str
    sentence: str
    state: State
    what: str = ""
    presented: str = ""
    expected: str = ""
    since: int = 0
    case: str = ""


def build_explanation(what: str, why: Why) -> Explanation:
    """The explanation of a refusal; what was sent is cut, and shown without a user name in a URL."""
    found = {"what": what, **why}
    texts = {name: shown_text(str(found.get(name, ""))) for name in ("rule", "what", "presented", "expected", "case")}
    return Explanation(**texts, since=why.get("since", 0))


def shown_text(text: str) -> str:
    """Something that was sent, short and harmless."""
    one_line = replace_unsafe_characters(text, "?")
    cut = one_line if len(one_line) <= LONGEST_TEXT else f"{one_line[:LONGEST_TEXT]}..."
    return _USER_OF_URL.sub("//...@", cut)


def explain_response(response: Any, explanation: Explanation) -> None:
    """Gives an answer of Django or REST framework its explanation, for who writes the log line and the live view."""
    setattr(response, _ATTRIBUTE, explanation)


def explanation_of(response: Any) -> Explanation | None:
    """What `explain_response` gave to this answer, None for nothing."""
    found: Explanation | None = getattr(response, _ATTRIBUTE, None)
    return found
