"""Conditional writes: what is written is found by a search (docs/specification/resource-server.md, writes)."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from smartauth_probe.checks.check import Check, Danger, Result, Skip, failed, passed, policy
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before
from smartauth_probe.checks.writes.section import HIDE, HTTP, KIND, PEOPLE, SCOPES, SECTION
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

WITHIN = "Match a condition within the token's patient, as a search with the same token would."


def _criteria(content: Json) -> tuple[str, str]:
    identifier = content["identifier"][0]
    return "identifier", f"{identifier['system']}|{identifier['value']}"


def _only_if_none(made: Copies, content: Json, of: Json, token: GivenToken) -> Answer:
    """A create unless there is a record with the identifier of another content."""
    return made.post(content, token, ("If-None-Exist", "=".join(_criteria(of))))


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


class Way(NamedTuple):
    """A conditional write."""

    words: str
    send: Callable[[Copies, Json, GivenToken], Answer]


def _put(made: Copies, content: Json, token: GivenToken) -> Answer:
    about = {"subject": {"reference": made.probe.a.path}}
    return made.put(KIND, {**content, **about}, token, query=(_criteria(content),))


def _patch(made: Copies, content: Json, token: GivenToken) -> Answer:
    headers = (("Content-Type", "application/json-patch+json"),)
    body: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": "amended"}]
    return made.probe.send("PATCH", KIND, token, (_criteria(content),), headers, json.dumps(body))


def _delete(made: Copies, content: Json, token: GivenToken) -> Answer:
    return made.probe.send("DELETE", KIND, token, (_criteria(content),))


WAYS = {
    "update": Way("update", _put),
    "patch": Way("patch", _patch),
    "delete": Way("delete", _delete),
}


def _need_exact(made: Copies, record: Record, way: Way) -> None:
    """Raises Skip unless the search finds that record and no other, and the server does such a write by it."""
    found = made.probe.search(KIND, made.owner(made.probe.a), _criteria(record.content))
    if found.names != [record.path] and not made.probe.client.is_dry:
        raise Skip("A search by identifier does not find one record alone, and then nothing is written by it.")
    content = {name: value for name, value in record.content.items() if name != "id"}
    made.probe.need(f"a conditional {way.words}", way.send(made, content, made.owner(made.probe.a)))


def _of_other(way: Way) -> Callable[[Probe], Result]:
    """What only B has, as what nobody has."""

    def run(probe: Probe) -> Result:
        with copies(probe) as made:
            _need_exact(made, made.of(probe.a), way)
            record, token = made.of(probe.b), made.owner(probe.a)
            before = probe.read(KIND, record.id, made.owner(probe.b))
            theirs = {name: value for name, value in record.content.items() if name != "id"}
            contents = (theirs, made.content(probe.a))
            taken, free = (way.send(made, content, token).status for content in contents)
            made.stored(contents[1], probe.a)
            kept = must_be_as_before(made, record, probe.b, before, "B's record")
            if kept.is_failed or taken == free:
                return kept
            return failed("B's record is told from none.", "the same twice", f"{taken} and {free}", Danger.EXISTENCE)

    return run


def _of_both(way: Way) -> Callable[[Probe], Result]:
    """What A and B have, as what A has."""

    def run(probe: Probe) -> Result:
        with copies(probe) as made:
            _need_exact(made, made.of(probe.a), way)
            own, token = made.of(probe.a), made.owner(probe.a)
            record = made.of(probe.b, identifier=own.content["identifier"])
            before = probe.read(KIND, record.id, made.owner(probe.b))
            content = {name: value for name, value in own.content.items() if name != "id"}
            answer = way.send(made, content, token)
            kept = must_be_as_before(made, record, probe.b, before, "B's record")
            if answer.is_ok or kept.is_failed:
                return kept
            seen = "With a record of B that matches too, the app's own is not found alone."
            return failed(seen, "as without B's record", str(answer), Danger.EXISTENCE)

    return run


def _check(name: str, words: str, way: Way, run: Callable[[Probe], Result]) -> Check:
    return Check(
        id="WR-12",
        name=name,
        section=SECTION.key,
        title=f"A conditional {way.words} that fits {words} leaves those of another patient alone",
        headline=f"A conditional {way.words} that fits {words} reaches or betrays those of another patient",
        why=f"The condition is matched over everybody's records. {PEOPLE}",
        fix=WITHIN,
        source=HTTP,
        run=run,
        danger=Danger.WRITES,
        writes=True,
        since="R4" if "patch" in name else "DSTU2",
    )


for _name, _way in WAYS.items():
    SECTION.checks.append(_check(f"conditional-{_name}-of-other", "another patient's record", _way, _of_other(_way)))
    SECTION.checks.append(_check(f"conditional-{_name}-of-both", "records of both", _way, _of_both(_way)))
