"""Writes with a scope for one category (docs/specification/resource-server.md, granular scopes)."""

import json
from typing import Any

from smartauth_probe.checks.check import Danger, Result, worst
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.checks.writes.section import BOTH, KIND, SECTION
from smartauth_probe.loading import contents
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.tokens.source import GivenToken

SOURCE = "SMART App Launch 2.2, finer-grained resource constraints using search parameters"
PEOPLE = "The person agreed that it writes one kind of results, and not the others."
ALLOWED, OTHER = "laboratory", "vital-signs"


def _of_category(probe: Probe, code: str) -> dict[str, Any]:
    return {"category": contents.category(probe.facts.version, code)}


def _narrow(made: Copies, letters: str) -> GivenToken:
    """A token for one category. Raises Skip where it does not write that."""
    probe = made.probe
    token = probe.token(f"patient/{KIND}.{letters}?category={contents.category_system(probe.facts.version)}|{ALLOWED}")
    made.of(probe.a)
    able = probe.token(f"patient/{KIND}.cu?category={contents.category_system(probe.facts.version)}|{ALLOWED}")
    probe.need("a scope with a query", made.post(made.content(probe.a, **_of_category(probe, ALLOWED)), able))
    return token


@SECTION.check(
    "GR-14",
    "granular-create",
    title="A scope for one category creates no record of another one",
    headline="A scope for one category creates a record of another one",
    why=f"The query of the scope is used for reading and forgotten for writing. {PEOPLE}",
    fix=BOTH,
    source=SOURCE,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        token, results = _narrow(made, "c"), []
        for category in (_of_category(probe, OTHER), {"category": None}):
            content = made.content(probe.a, **category)
            answer = made.post(content, token)
            results.append(must_be_refused(answer, "create of another category", made.stored(content, probe.a)))
        return worst(*results)


@SECTION.check(
    "GR-14",
    "granular-update",
    title="A scope for one category updates records of that category alone, and leaves them in it",
    headline="A scope for one category updates a record of another one",
    why=f"Of an update only one of the two versions is judged. {PEOPLE}",
    fix=BOTH,
    source=SOURCE,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        token, owner, results = _narrow(made, "u"), made.owner(probe.a), []
        for old, new in ((ALLOWED, OTHER), (OTHER, ALLOWED)):
            record = made.of(probe.a, **_of_category(probe, old))
            before = probe.read(KIND, record.id, owner)
            answer = made.put(record.path, {**record.content, **_of_category(probe, new)}, token)
            results.append(must_be_refused(answer, f"an update from {old} to {new}"))
            results.append(must_be_as_before(made, record, probe.a, before, f"the update from {old} to {new}"))
        return worst(*results)


def _patch(probe: Probe, record: Record, token: GivenToken, element: str, value: object) -> Answer:
    """Raises Skip where the server says that it has no patch."""
    probe.need_interaction(KIND, "patch")
    body = [{"op": "replace", "path": f"/{element}", "value": value}]
    headers = (("Content-Type", "application/json-patch+json"),)
    return probe.send("PATCH", record.path, token, headers=headers, body=json.dumps(body))


@SECTION.check(
    "WR-06",
    "granular-patch",
    title="A scope for one category patches no record out of it",
    headline="A scope for one category patches a record out of it",
    why=f"A patch is judged by the record that it changes, and not by what comes out. {PEOPLE}",
    fix=BOTH,
    source=SOURCE,
    danger=Danger.WRITES,
    writes=True,
    since="STU3",
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        token = _narrow(made, "u")
        record = made.of(probe.a, **_of_category(probe, ALLOWED))
        probe.need("PATCH", _patch(probe, record, token, "status", record.content.get("status", "final")))
        answer = _patch(probe, record, token, "category", _of_category(probe, OTHER)["category"])
        return must_be_refused(answer, "a patch of the category")
