"""What the page of an explanation shows, whatever was explained; never a token, a code or a secret."""

from dataclasses import dataclass
from typing import NamedTuple

from audit.models import Event
from smart.explanation import RuleOutcome


class Tag(NamedTuple):
    """The conclusion in a word or two; `tone` is good, bad or warn."""

    tone: str
    text: str


class Fact(NamedTuple):
    """A line beside the conclusion. `table` and `key` name the row in the admin, for operators."""

    label: str
    text: str
    is_code: bool = False
    table: str = ""
    key: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The conclusion in the title and in the heading with tags, and the first cause as the lead."""

    title: str
    heading: str
    lead: str
    tags: tuple[Tag, ...] = ()
    since: int = 0
    presented: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    facts_title: str = ""
    facts: tuple[Fact, ...] = ()
    request_facts: tuple[Fact, ...] = ()
    outcomes: tuple[RuleOutcome, ...] = ()
    response_in_words: str = ""
    response_head: str = ""
    advice: tuple[str, ...] = ()
    history: tuple[Event, ...] = ()
