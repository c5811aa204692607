"""Operations that FHIR and its guides name, each about another patient."""

import json
from collections.abc import Callable
from typing import NamedTuple

from smartauth_probe.checks.check import Check, Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.checks.operations.section import DENY, EACH, KIND, OPERATIONS, OWN_DOOR, PEOPLE, SECTION
from smartauth_probe.segments import segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.probe import READER, Probe
from smartauth_probe.tokens.source import GivenToken


class Operation(NamedTuple):
    """`path` and `query` with the id of a patient or of their record in place of {}."""

    name: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    kind: str = "Patient"
    id: str = "FO-04"

    @property
    def written(self) -> str:
        """With its dollar."""
        return self.path.rpartition("/")[2]


# those that return records of a patient
OPERATIONS_OF_PATIENTS = (
    Operation("lastn", f"{KIND}/$lastn", (("patient", "{}"), ("category", "laboratory"))),
    Operation("stats", f"{KIND}/$stats", (("subject", "Patient/{}"), ("statistic", "count"))),
    Operation("summary", "Patient/{}/$summary"),
    Operation("docref", "DocumentReference/$docref", (("patient", "{}"),)),
    Operation("graph", "Patient/{}/$graph", (("graph", "x"),)),
    Operation("health-cards", "Patient/{}/$health-cards-issue"),
    Operation("meta", "{}/$meta", kind=KIND, id="FO-05"),
    Operation("validate", "{}/$validate", kind=KIND, id="FO-05"),
    Operation("meta-of-patient", "Patient/{}/$meta", id="FO-05"),
)


def _call(probe: Probe, operation: Operation, key: str, token: GivenToken) -> Answer:
    """By GET, or by POST where the server has no GET for it."""
    named = f"{operation.kind}/{segment(key)}" if operation.path.startswith("{}") else segment(key)
    query = tuple((name, value.format(key)) for name, value in operation.query)
    path = operation.path.format(named)
    answer = probe.send("GET", path, token, query)
    if answer.status != 405:
        return answer
    body = json.dumps({"resourceType": "Parameters"})
    return probe.send("POST", path, token, query, (("Content-Type", probe.facts.accept),), body)


def _keys(probe: Probe, operation: Operation) -> tuple[str, str]:
    if operation.kind == "Patient":
        return probe.a.id, probe.b.id
    return probe.a.first(operation.kind).id, probe.b.first(operation.kind).id


def _of_other(operation: Operation) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token = probe.token(READER)
        own, other = _keys(probe, operation)
        probe.need(operation.written, _call(probe, operation, own, token))
        answers = [_call(probe, operation, key, token) for key in (other, probe.unknown_id)]
        shown = must_show_only(probe, answers[0], operation.written)
        without = _call(probe, operation, own, probe.token("patient/Basic.rs"))
        alike = must_be_alike(answers[0], answers[1], f"{operation.written} of B")
        return worst(shown, alike, _must_open_nothing(without, f"{operation.written} without a scope"))

    return run


def _must_open_nothing(answer: Answer, what: str) -> Result:
    """Refused, or nothing in it."""
    if answer.is_ok and answer.holds_data:
        return failed(f"{what} is answered.", "403", str(answer), Danger.RECORDS)
    return passed(f"{what}: {answer}.")


SECTION.checks.extend(
    Check(
        id=each.id,
        name=f"operation-{each.name}",
        section=SECTION.key,
        title=f"{each.written} takes the scope of what it reads, and answers for another patient as for nobody",
        headline=f"{each.written} needs no scope, or shows or betrays another patient",
        why=f"{OWN_DOOR} {PEOPLE}",
        fix=EACH,
        source=OPERATIONS,
        run=_of_other(each),
        danger=Danger.EXISTENCE,
    )
    for each in OPERATIONS_OF_PATIENTS
)


@SECTION.check(
    "FO-04",
    "operation-match",
    title="$match finds the token's patient only, or is refused",
    headline="$match finds other patients",
    why=f"It is made to find somebody by name and birth date, among all. {PEOPLE}",
    fix=DENY,
    source="FHIR Patient, operation match",
)
def _(probe: Probe) -> Result:
    theirs, nobodys = _identifier_of_b(probe), {"value": "never-given-7f3k29qd"}
    other, unknown = (_match(probe, identifier) for identifier in (theirs, nobodys))
    if unknown.status in (404, 405, 501):
        raise Skip("The server has no $match.")
    return worst(must_show_only(probe, other, "$match"), must_be_alike(other, unknown, "B by $match"))


def _identifier_of_b(probe: Probe) -> Json:
    """With its system. Raises Skip."""
    number = probe.identifier_of_b
    theirs = probe.read("Patient", probe.b.id, probe.token(READER, probe.b.id)).resource["identifier"]
    return next(each for each in theirs if isinstance(each, dict) and each.get("value") == number)


def _match(probe: Probe, identifier: Json) -> Answer:
    parameter = {"name": "resource", "resource": {"resourceType": "Patient", "identifier": [identifier]}}
    body = json.dumps({"resourceType": "Parameters", "parameter": [parameter]})
    typed = (("Content-Type", probe.facts.accept),)
    return probe.send("POST", "Patient/$match", probe.token(READER), headers=typed, body=body)
