"""The form of the consent page: its lines with what is chosen, and the answer that comes back (AZ-20, SCP-12)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from accounts.models import User
from oauth.authorization.pending_request import Pending
from smart.digests import sha256_hex
from smart.scopes.scope_sets import is_within
from smart.wording.consent_line import CHANGE, SEE, TIME, WHO, ConsentLine, RecordKind

GROUPS = ((SEE, "See", "see"), (CHANGE, "Add or change", "change"), (WHO, "Know who you are", "person"))
ALREADY_ALLOWED = {
    SEE: "It may already see",
    CHANGE: "It may already add or change",
    WHO: "It already knows who you are",
}
ALL, SOME, NONE = "all", "some", "none"


class NotOffered(Exception):
    """The form came back with a choice that the page did not hold (E30)."""


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """The lines that are ticked, those of which only some kinds are, and which kinds."""

    ticked: frozenset[int]
    some: Mapping[int, frozenset[int]] = field(default_factory=dict)

    @property
    def kindless(self) -> frozenset[int]:
        """The lines of which some kinds were chosen, and none was named."""
        return frozenset(number for number, kinds in self.some.items() if not kinds)

    def of(self, line: ConsentLine) -> str:
        if line.number in self.some:
            return SOME
        return ALL if line.number in self.ticked else NONE


@dataclass(frozen=True, slots=True)
class Row:
    """One line as it is shown."""

    line: ConsentLine
    choice: str
    kinds: tuple[tuple[RecordKind, bool], ...]
    new: bool
    kindless: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A fieldset of the page."""

    title: str
    sign: str
    changes: bool
    rows: tuple[Row, ...]


def question_digest(pending: Pending, user: User, scope: str) -> str:
    """Names what a page asks, which user and about which record: another choice in another tab changes the question."""
    return sha256_hex(json.dumps([user.pk, pending.row.patient, pending.row.encounter, scope]))


def initial_answer(lines: Iterable[ConsentLine]) -> ConsentAnswer:
    """What the app asked for is the question, so it is what the page begins with; of the times the first."""
    lines = tuple(lines)
    times = [line.number for line in lines if line.group == TIME]
    return ConsentAnswer(frozenset({line.number for line in lines} - set(times[1:])))


def parse_answer(form: QueryDict, lines: Sequence[ConsentLine]) -> ConsentAnswer:
    """What came back: numbers of this request's own lines and nothing else. Raises NotOffered."""
    simple = [line.number for line in lines if line.group != TIME and not line.kinds]
    ticked = set(_numbers(form.getlist("ask"), simple))
    times = _numbers(form.getlist("ask-time"), [line.number for line in lines if line.group == TIME])
    if len(times) > 1:
        raise NotOffered
    some: dict[int, frozenset[int]] = {}
    for line in lines:
        choice = _radio(form.getlist(f"ask-{line.number}")) if line.kinds else NONE
        if choice == ALL:
            ticked.add(line.number)
        elif choice == SOME:
            kinds = _numbers(form.getlist(f"ask-{line.number}-kind"), [kind.number for kind in line.kinds])
            some[line.number] = frozenset(kinds)
    return ConsentAnswer(frozenset({*ticked, *times}), some)


def line_groups(lines: Sequence[ConsentLine], answer: ConsentAnswer, held: str) -> list[Group]:
    """New lines first; those that are allowed already stand apart and can still be unticked."""
    asking = [line for line in lines if line.group != TIME]
    old = {line.number for line in asking if is_within(" ".join(line.allows), held)}
    found = []
    for again in (False, True):
        for group, title, sign in GROUPS:
            rows = tuple(
                _row(line, answer, new=bool(old) and not again)
                for line in asking
                if line.group == group and (line.number in old) is again
            )
            if rows:
                found.append(Group(ALREADY_ALLOWED[group] if again else title, sign, group == CHANGE, rows))
    return found


def time_options(lines: Sequence[ConsentLine], answer: ConsentAnswer) -> list[tuple[ConsentLine, bool]]:
    """How long, as one question: "Only now" where nothing else is chosen."""
    found = [line for line in lines if line.group == TIME]
    picked = next((line.number for line in found if line.number in answer.ticked), found[-1].number)
    return [(line, line.number == picked) for line in found]


def _row(line: ConsentLine, answer: ConsentAnswer, *, new: bool) -> Row:
    kinds = answer.some.get(line.number)
    shown = tuple((kind, kinds is None or kind.number in kinds) for kind in line.kinds)
    return Row(line, answer.of(line), shown, new, line.number in answer.kindless)


def _numbers(sent: list[str], offered: Iterable[int]) -> list[int]:
    known = {str(number): number for number in offered}
    if not known.keys() >= set(sent):
        raise NotOffered
    return [known[number] for number in sent]


def _radio(sent: list[str]) -> str:
    if len(sent) > 1 or not {ALL, SOME, NONE} >= set(sent):
        raise NotOffered
    return sent[0] if sent else NONE
