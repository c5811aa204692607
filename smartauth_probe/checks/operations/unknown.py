"""Operations that the server does not know, and those about codes."""

import json

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy, worst
from smartauth_probe.checks.judging import must_be_alike
from smartauth_probe.checks.operations.section import DENY, HIDE, OPERATIONS, PEOPLE, SECTION
from smartauth_probe.target.probe import NO_TOKEN, NOT_DONE, READER, Probe

NOBODYS = "$smartauth-probe-7f3k29qd"


@SECTION.check(
    "FO-04",
    "unknown-operation",
    title="An operation that nobody defined is refused",
    headline="An operation that nobody defined is answered with records",
    why=f"What the server does not know it takes for something else, such as a search. {PEOPLE}",
    fix=DENY,
    source=OPERATIONS,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(READER), []
    typed, body = (("Content-Type", probe.facts.accept),), json.dumps({"resourceType": "Parameters"})
    for path in (NOBODYS, f"Patient/{NOBODYS}", f"{probe.a.path}/{NOBODYS}"):
        for method, sent in (("GET", ""), ("POST", body)):
            answer = probe.send(method, path, token, headers=typed, body=sent)
            if answer.is_ok and answer.holds_data:
                results.append(failed(f"{method} {path} shows something.", "404", str(answer), Danger.RECORDS))
            elif answer.is_ok or (answer.status >= 500 and answer.status not in NOT_DONE):
                results.append(failed(f"{method} {path} is not refused.", "404", str(answer), Danger.FORM))
    return worst(*results, passed("None is answered."))


@SECTION.check(
    "HI-01",
    "unknown-operation-of-other",
    title="An operation that nobody defined is answered alike for another patient and one who never existed",
    headline="An operation that nobody defined tells that another patient exists",
    why="The record is looked up before the name of the operation. Who tries ids learns who is a patient here.",
    fix=DENY,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(READER), []
    for method in ("GET", "POST"):
        other, unknown = (
            probe.send(method, f"Patient/{key}/{NOBODYS}", token) for key in (probe.b.id, probe.unknown_id)
        )
        results.append(must_be_alike(other, unknown, "the operation for B"))
    return worst(*results)


@SECTION.check(
    "FO-04",
    "operation-without-token",
    title="An operation needs a token",
    headline="An operation is answered without a token",
    why="An operation has a route of its own, and often no check of its own. Anybody reads whole records.",
    fix="Demand the token before the path is looked at.",
    source="RFC 6750 §3",
)
def _(probe: Probe) -> Result:
    for path in (f"{probe.a.path}/$everything", "Patient/$everything", "$graphql", f"Patient/{NOBODYS}"):
        answer = probe.send("GET", path, NO_TOKEN)
        if answer.is_ok and answer.holds_data:
            return failed(f"{path} needs no token.", "401", str(answer), Danger.RECORDS)
        if answer.is_ok:
            return failed(f"{path} is answered.", "401", str(answer), Danger.FORM)
    return passed("None is answered.")


@SECTION.check(
    "FO-08",
    "terminology-operations",
    title="Who may ask for codes is known",
    headline="Codes may be asked for without a scope",
    why="$expand and $lookup hold nothing of patients. What a server lets everybody ask costs it time all the same.",
    fix="Open them to everybody, or demand a scope for ValueSet and CodeSystem; say which.",
    source=OPERATIONS,
    danger=Danger.FORM,
    usual="Servers differ.",
)
def _(probe: Probe) -> Result:
    gender = (("url", "http://hl7.org/fhir/ValueSet/administrative-gender"),)
    tokens = {"any token": probe.token(READER), "no token": NO_TOKEN, "no scope": probe.token("patient/Basic.rs")}
    sent = {whose: probe.send("GET", "ValueSet/$expand", token, gender) for whose, token in tokens.items()}
    served = [whose for whose, answer in sent.items() if answer.is_ok]
    return policy(f"$expand is answered with {' and with '.join(served)}.") if served else passed("It is not answered.")
