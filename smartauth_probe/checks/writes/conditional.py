"""Conditional writes: what is written is found by a search (docs/specification/resource-server.md, writes)."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from smartauth_probe.checks.check import Check, Danger, Result, failed, worst
from smartauth_probe.checks.writes.copies import Copies, copies, criteria
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import HTTP, KIND, PEOPLE, SECTION
from smartauth_probe.checks.writes.subjects import SUBJECTS
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

WITHIN = "Match a condition within the token's patient, as a search with the same token would."


@SECTION.check(
    "WR-02",
    "conditional-update-for-other",
    title="A conditional update that finds nothing creates no record for another patient",
    headline="A conditional update that finds nothing creates a record for another patient",
    why=f"An update by a search creates what it does not find, and no check of a create stands there. {PEOPLE}",
    fix="Judge what a conditional update creates like a create.",
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        made.of(probe.a)
        results = []
        for way in ("other", "nobody"):
            words, elements = SUBJECTS[way]
            content = made.content(probe.a, **elements(probe))
            answer = made.put(KIND, content, made.owner(probe.a), query=(criteria(content),))
            stored = made.stored(content, probe.a, probe.b)
            results.append(must_be_refused(answer, f"a conditional update {words}", stored))
        return worst(*results)


class Way(NamedTuple):
    """A conditional write."""

    words: str
    send: Callable[[Copies, Json, GivenToken], Answer]


def _put(made: Copies, content: Json, token: GivenToken) -> Answer:
    about = {"subject": {"reference": made.probe.a.path}}
    return made.put(KIND, {**content, **about}, token, query=(criteria(content),))


def _patch(made: Copies, content: Json, token: GivenToken) -> Answer:
    headers = (("Content-Type", "application/json-patch+json"),)
    body: list[dict[str, Any]] = [{"op": "replace", "path": "/status", "value": "amended"}]
    return made.probe.send("PATCH", KIND, token, (criteria(content),), headers, json.dumps(body))


def _delete(made: Copies, content: Json, token: GivenToken) -> Answer:
    return made.probe.send("DELETE", KIND, token, (criteria(content),))


WAYS = {
    "update": Way("update", _put),
    "patch": Way("patch", _patch),
    "delete": Way("delete", _delete),
}


def _need_exact(made: Copies, record: Record, way: Way) -> None:
    """Raises Skip unless the search finds that record and no other, and the server does such a write by it."""
    found = made.probe.search(KIND, made.owner(made.probe.a), criteria(record.content))
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
            record = made.of(probe.b, identifier=own.content["identifier"], code=own.content.get("code"))
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
