"""What a refusal says."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, policy
from smartauth_probe.checks.requests.section import SECTION
from smartauth_probe.received import is_outcome
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import NO_TOKEN, Probe

ODD_BODIES = ("[]", "null", "{", '{"resourceType": 7}')


@SECTION.check(
    "TV-27",
    "errors-are-outcomes",
    title="A refusal is an OperationOutcome",
    headline="A refusal is no OperationOutcome",
    why="An app reads in it what went wrong. People get a page that says nothing in place of a reason.",
    fix="Answer every refusal with an OperationOutcome in the media type that was asked for.",
    source="FHIR http",
    danger=Danger.FORM,
    usual="Some servers answer 401 with an empty body, because a proxy before them does.",
)
def _(probe: Probe) -> Result:
    refusals = [answer for answer in _refusals(probe) if not answer.is_ok]
    other = [answer for answer in refusals if answer.content and not is_outcome(answer.type)]
    if other:
        return policy(f"{other[0].status} came with {len(other[0].content)} bytes that are no OperationOutcome.")
    types = {(answer.headers.get("Content-Type") or "").partition(";")[0] for answer in refusals if answer.content}
    if strange := sorted(each for each in types if "json" not in each and "xml" not in each):
        return policy(f"A refusal came as {strange[0] or 'no media type'}.")
    return passed("Every refusal with a body is one.")


@SECTION.check(
    "TV-27",
    "errors-tell-no-inside",
    title="A refusal says nothing of the program inside",
    headline="A refusal shows the program inside",
    why="Names of files, classes and tables are a map for an attack. What was in the records may stand in them too.",
    fix="Log the failure, and answer a short OperationOutcome; switch the debug mode off.",
    source="FHIR http, RFC 9700",
    danger=Danger.FORM,
)
def _(probe: Probe) -> Result:
    for answer in _refusals(probe):
        if answer.trace:
            return failed(f"A {answer.status} holds a trace.", "no trace", answer.trace)
    return passed()


def _refusals(probe: Probe) -> list[Answer]:
    token = probe.token()
    odd = (("_count", "x"), ("_lastUpdated", "not-a-date"), ("_id", "'\"<>"))
    everything, typed = f"{probe.a.path}/$everything", (("Content-Type", probe.facts.accept),)
    return [
        probe.read("Patient", probe.a.id, NO_TOKEN),
        probe.read("Patient", probe.unknown_id, token),
        probe.send("GET", "Patient/%00", token),
        probe.send("GET", f"{probe.a.path}/_history/{'9' * 30}", token),
        probe.search("NoSuchType", token),
        *(probe.search("Patient", token, pair) for pair in odd),
        *(probe.send("POST", path, token, (), typed, body) for path in (everything, "") for body in ODD_BODIES),
    ]
