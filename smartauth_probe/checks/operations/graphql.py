"""GraphQL (FHIR GraphQL): each resource that a query resolves is one that is read."""

import json
from typing import Any

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.operations.section import EACH, KIND, PEOPLE, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import NO_TOKEN, READER, Probe
from smartauth_probe.tokens.source import GivenToken

SOURCE = "FHIR GraphQL"
WHY = f"A query goes from record to record, and the check stands where it began. {PEOPLE}"


def _ask(probe: Probe, query: str, token: GivenToken, path: str = "$graphql") -> Answer:
    """By POST, in JSON."""
    headers = (("Content-Type", "application/json"), ("Accept", "application/json"))
    return probe.send("POST", path, token, headers=headers, body=json.dumps({"query": query}))


def _data(answer: Answer) -> dict[str, Any]:
    """What was found, without members that are null."""
    data = answer.resource.get("data")
    return {name: value for name, value in data.items() if value} if isinstance(data, dict) else {}


def _followed(found: object, *names: str) -> object:
    """The member of the member of it, None where there is none."""
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _need_graphql(probe: Probe) -> None:
    """Raises Skip unless A's own record comes."""
    answer = _ask(probe, _patient(probe.a.id), probe.token(READER))
    if not _data(answer).get("Patient") and not probe.client.is_dry:
        raise Skip(f"The server does not do it, or not here: $graphql answered {answer.status} to a token that may.")


def _patient(key: str) -> str:
    return f'{{Patient(id:"{key}"){{id}}}}'


def _must_hold_nothing(answer: Answer, what: str) -> Result:
    found = _data(answer)
    if found:
        return failed(f"{what} shows something.", "nothing", f"data with {', '.join(found)}", Danger.RECORDS)
    return passed(f"{what}: {answer.status}.")


@SECTION.check(
    "FO-06",
    "graphql-of-other",
    title="$graphql answers for another patient's records like for those that never existed",
    headline="$graphql shows or betrays another patient's records",
    why=WHY,
    fix=EACH,
    since="STU3",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    _need_graphql(probe)
    token, record, results = probe.token(READER), probe.b.any(), []
    for kind, key in (("Patient", probe.b.id), (record.type, record.id)):
        asked = (f'{{{kind}(id:"{each}"){{id}}}}' for each in (key, probe.unknown_id))
        other, unknown = (_ask(probe, query, token) for query in asked)
        results += [_must_hold_nothing(other, f"{kind} of B"), must_be_alike(other, unknown, f"{kind} of B")]
    on = [_ask(probe, "{id}", token, f"Patient/{key}/$graphql") for key in (probe.b.id, probe.unknown_id)]
    return worst(*results, _must_hold_nothing(on[0], "Patient B"), must_be_alike(on[0], on[1], "$graphql on B"))


@SECTION.check(
    "FO-06",
    "graphql-lists",
    title="A list of $graphql holds records of the token's patient only",
    headline="A list of $graphql holds records of others",
    why=WHY,
    fix=EACH,
    since="STU3",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    _need_graphql(probe)
    token, foreign = probe.token(READER), {each.id for each in probe.b.records.get(KIND, ())} | {probe.b.id}
    queries = ("{PatientList{id}}", f"{{{KIND}List{{id}}}}", f'{{{KIND}List(patient:"{probe.b.id}"){{id}}}}')
    for query in queries:
        for found in _data(_ask(probe, query, token)).values():
            keys = {each.get("id") for each in found if isinstance(each, dict)} if isinstance(found, list) else set()
            if keys & foreign:
                return failed(f"{query} shows records of B.", "those of A", "an id of B", Danger.RECORDS)
    return passed("None shows records of B.")


@SECTION.check(
    "FO-06",
    "graphql-without-scope",
    title="$graphql opens no type that the scope does not open, by a reference either",
    headline="$graphql opens a type that the scope does not open",
    why="A query follows a reference from a type of the scope to one that is not. The person agreed to share one type.",
    fix=EACH,
    since="STU3",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    _need_graphql(probe)
    token, record = probe.token(f"patient/{KIND}.rs"), probe.a.first(KIND)
    own = _must_hold_nothing(_ask(probe, _patient(probe.a.id), token), f"Patient with {KIND}.rs")
    followed = f'{{{KIND}(id:"{record.id}"){{subject{{resource{{... on Patient{{birthDate name{{family}}}}}}}}}}}}'
    if _followed(_data(_ask(probe, followed, token)), KIND, "subject", "resource"):
        return failed("The subject of a result is shown.", "nothing", "its Patient", Danger.RECORDS)
    return worst(own, _must_hold_nothing(_ask(probe, _patient(probe.a.id), NO_TOKEN), "Patient without a token"))
