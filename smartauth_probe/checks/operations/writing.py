"""Operations that change something, on copies."""

import json
from collections.abc import Callable, Mapping

from smartauth_probe.checks.check import Check, Danger, Result, worst
from smartauth_probe.checks.operations.section import DENY, KIND, OPERATIONS, OWN_DOOR, SECTION
from smartauth_probe.checks.writes.copies import copies
from smartauth_probe.checks.writes.judging import must_be_as_before, must_be_refused
from smartauth_probe.target.answer import Answer, Json
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import READER, WIDEST, Probe
from smartauth_probe.tokens.source import GivenToken

TAG = {"system": "https://smartauth.example/probe", "code": "tried"}
META = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}
NOTHING = {"resourceType": "Parameters"}
# by name, with what each is sent
ON_A_RECORD: Mapping[str, Json] = {"meta-add": META, "meta-delete": META, "expunge": NOTHING, "reindex": NOTHING}


def _call(probe: Probe, record: Record, name: str, body: Json, token: GivenToken) -> Answer:
    headers = (("Content-Type", probe.facts.accept),)
    return probe.send("POST", f"{record.path}/${name}", token, headers=headers, body=json.dumps(body))


def _refused(name: str, body: Json) -> Callable[[Probe], Result]:
    """To an app that may only read, and on B's record to one that may do everything."""

    def run(probe: Probe) -> Result:
        with copies(probe) as made:
            results = []
            for whose, scope in ((probe.a, READER), (probe.b, WIDEST)):
                record = made.of(whose)
                before = probe.read(KIND, record.id, made.owner(whose))
                answer = _call(probe, record, name, body, probe.token(scope))
                results.append(must_be_refused(answer, f"${name} on a record of {whose.letter} with {scope}"))
                results.append(must_be_as_before(made, record, whose, before, f"the record of {whose.letter}"))
            return worst(*results)

    return run


SECTION.checks.extend(
    Check(
        id="FO-05",
        name=f"operation-{name}",
        section=SECTION.key,
        title=f"${name} is refused to an app that may only read, and on another patient's record to any",
        headline=f"${name} is done for an app that may only read, or on another patient's record",
        why=f"{OWN_DOOR} The person agreed that the app reads, and it changes.",
        fix=f"{DENY} Demand u for $meta-add and $meta-delete, and give $expunge and $reindex to nobody's app.",
        source=OPERATIONS,
        run=_refused(name, body),
        danger=Danger.WRITES,
        writes=True,
    )
    for name, body in ON_A_RECORD.items()
)


@SECTION.check(
    "FO-05",
    "operation-process-message",
    title="$process-message is refused to the app of a patient",
    headline="$process-message is done for the app of a patient",
    why=f"{OWN_DOOR} A message may be an order, and somebody is treated by it.",
    fix=DENY,
    source=OPERATIONS,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    probe.need_writes()
    header = {"resourceType": "MessageHeader", "eventCoding": {"code": "probe"}, "source": {"endpoint": "urn:probe"}}
    message = {"resourceType": "Bundle", "type": "message", "entry": [{"resource": header}]}
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "content", "resource": message}]}
    headers, results = (("Content-Type", probe.facts.accept),), []
    for content in (message, parameters):
        body = json.dumps(content)
        answer = probe.send("POST", "$process-message", probe.token(WIDEST), headers=headers, body=body)
        results.append(must_be_refused(answer, "a message"))
    return worst(*results)
