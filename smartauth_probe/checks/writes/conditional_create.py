"""Conditional creates: only if a search finds nothing (docs/specification/resource-server.md, writes)."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy
from smartauth_probe.checks.writes.conditional import WITHIN
from smartauth_probe.checks.writes.copies import Copies, copies, criteria
from smartauth_probe.checks.writes.section import HIDE, KIND, SCOPES, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken


def _only_if_none(made: Copies, content: Json, of: Json, token: GivenToken) -> Answer:
    """A create unless there is a record with the identifier of another content."""
    return made.post(content, token, ("If-None-Exist", "=".join(criteria(of))))


def _conditional(made: Copies) -> Record:
    """A record of A that a conditional create finds. Raises Skip."""
    record, token = made.of(made.probe.a), made.owner(made.probe.a)
    again = _only_if_none(made, made.content(made.probe.a), record.content, token)
    made.probe.need("a conditional create", again)
    if again.status == 201:
        raise Skip("The server does not heed If-None-Exist.")
    return record


@SECTION.check(
    "WR-10",
    "create-if-none-exist",
    title="A conditional create does not tell whether another patient has such a record",
    headline="A conditional create tells whether another patient has such a record",
    why="The condition is matched over everybody's records. Who has a record can be tried number by number.",
    fix=WITHIN,
    source=HIDE,
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        _conditional(made)
        record, token = made.of(probe.b), made.owner(probe.a)
        answers = [
            _only_if_none(made, made.content(probe.a), of, token) for of in (record.content, made.content(probe.a))
        ]
        taken, free = (answer.status for answer in answers)
        if taken == free:
            return passed(f"{taken} both times.")
        return failed("B's record is told from none.", "the same twice", f"{taken} and {free}", Danger.EXISTENCE)


@SECTION.check(
    "WR-11",
    "conditional-without-search",
    title="Whether a conditional create takes the letter s is known",
    headline="A conditional create searches without the letter s",
    why="A condition is a search. An app that may only create asks with it what there is.",
    fix="Demand s beside c, u or d where a condition is to be matched.",
    source=SCOPES,
    danger=Danger.CONTENT,
    usual="Servers differ; demanding s is recommended.",
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = _conditional(made), probe.token(f"patient/{KIND}.c")
        answer = _only_if_none(made, made.content(probe.a), record.content, token)
        if answer.status in (200, 304, 412):
            return policy(f"With .c alone it is told that there is such a record: {answer.status}.")
        return passed(f"{answer.status}.")
