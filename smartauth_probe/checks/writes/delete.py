"""Deleting records (docs/specification/resource-server.md, writes)."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_be_served
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.checks.writes.judging import must_be_as_before
from smartauth_probe.checks.writes.section import HIDDEN, HIDE, HTTP, KIND, SCOPES, SECTION
from smartauth_probe.loading.made import SERVICE, new_identifier
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import WIDEST, Probe
from smartauth_probe.tokens.source import GivenToken

# types with a code and a subject, of which a server may well have no record
RARE = ("Flag", "RiskAssessment", "Basic", "ClinicalImpression")
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
PEOPLE = "What others are treated by is gone."


@SECTION.check(
    "V1-03",
    "delete-own",
    title=".d and .write let an app delete a record of its patient",
    headline=".d or .write does not let an app delete a record of its patient",
    why="A server that refuses what was granted is of no use. People cannot take back what they entered.",
    fix="Take .d for delete, and .write for .cud.",
    source=SCOPES,
    danger=Danger.FORM,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        probe.need_interaction(KIND, "delete")
        probe.need("delete", probe.send("DELETE", made.of(probe.a).path, made.owner(probe.a)))
        tokens = [probe.token(f"patient/{KIND}.{letters}") for letters in ("d", "write")]
        return worst(*(_must_be_deleted(made, token) for token in tokens))


def _must_be_deleted(made: Copies, token: GivenToken) -> Result:
    """As the answer says, and as a read tells afterwards."""
    probe, record = made.probe, made.of(made.probe.a)
    served = must_be_served(probe.send("DELETE", record.path, token), "delete")
    after = probe.read(KIND, record.id, made.owner(probe.a))
    if served.is_failed or not after.is_ok:
        return served
    return failed("It is answered as done, and the record is still there.", "404 or 410", str(after), Danger.FORM)


@SECTION.check(
    "IX-18",
    "delete-of-other",
    title="A delete of another patient's record does nothing, and is answered like one of an id that never existed",
    headline="A delete of another patient's record is done, or tells that it exists",
    why=f"A delete needs no content, and its check is easily forgotten. {PEOPLE}",
    fix=HIDDEN,
    source=HIDE,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = made.of(probe.b), made.owner(probe.a)
        before = probe.read(KIND, record.id, made.owner(probe.b))
        other, unknown = (probe.send("DELETE", f"{KIND}/{key}", token) for key in (record.id, probe.unknown_id))
        kept = must_be_as_before(made, record, probe.b, before, "B's record")
        return kept if kept.is_failed else must_be_alike(other, unknown, "the delete of B's record")


@SECTION.check(
    "WR-13",
    "delete-without-criteria",
    title="A delete that names no record leaves those of other patients",
    headline="A delete that names no record deletes those of other patients",
    why=f"A delete by search with an empty search fits everything that there is. {PEOPLE}",
    fix="Refuse a delete without criteria; narrow any other one to the token's patient before it is matched.",
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        kind = _type_without_records(probe)
        record = _rare(made, kind)
        probe.send("DELETE", kind, made.owner(probe.a))
        if probe.read(kind, record, made.owner(probe.b)).is_ok:
            return passed(f"DELETE {kind} left the record of B.")
        return failed(f"DELETE {kind} deleted the record of B.", "the record stays", "it is gone", Danger.WRITES)


def _type_without_records(probe: Probe) -> str:
    """So that nothing else is lost on a server that does it. Raises Skip."""
    everything = probe.token(SERVICE, "")
    for kind in RARE:
        answer = probe.search(kind, everything, ("_summary", "count"))
        if probe.client.is_dry or (answer.is_ok and answer.total == 0 and probe.facts.may_do(kind, "create")):
            return kind
    raise Skip("There is no type without records to try it with, or no token that would tell.")


def _rare(made: Copies, kind: str) -> str:
    """The id of a new record of B. Raises Skip."""
    probe = made.probe
    content = {"status": "active", "code": {"text": "probe"}, "subject": {"reference": probe.b.path}}
    named = {"resourceType": kind, "identifier": [new_identifier()], **content}
    return made.make(kind, named, probe.token(WIDEST, probe.b.id))


@SECTION.check(
    "WR-14",
    "delete-cascade",
    title="A delete that takes other records along needs d for each of them",
    headline="A delete of one record takes along others that the app may not delete",
    why=f"A cascade deletes whatever refers to the record, and judges the record alone. {PEOPLE}",
    fix="Judge each record of a cascade like a delete of its own, or refuse cascades to patient/ scopes.",
    source=HTTP,
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        service = probe.token(SERVICE, "")
        person = {"resourceType": "Patient", "active": True, "identifier": [new_identifier()]}
        patient = made.make("Patient", person, service)
        content = {**made.content(probe.a), "subject": {"reference": f"Patient/{patient}"}}
        record = made.make(KIND, content, service)
        token = probe.token("patient/Patient.d", patient)
        cascade = (("X-Cascade", "delete"),)
        probe.send("DELETE", f"Patient/{patient}", token, (("_cascade", "delete"),), cascade)
        if probe.read(KIND, record, service).is_ok:
            return passed("The record that refers to the patient is left.")
        return failed("The record that refers to the patient went along.", "it stays", "it is gone", Danger.WRITES)


@SECTION.check(
    "TV-29",
    "method-override",
    title="A header or parameter that names another method changes nothing for an app that may only read",
    headline="A header or parameter makes a write of a request that reads",
    why="Scopes are judged by one method, and another one is carried out. The person agreed to reading only.",
    fix="Ignore X-HTTP-Method-Override and _method, or judge the request by the method that is carried out.",
    source="RFC 9110 §9",
    danger=Danger.WRITES,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        record, token = made.of(probe.a), probe.token()
        before = probe.read(KIND, record.id, made.owner(probe.a))
        for method in ("GET", "POST"):
            for name in OVERRIDES:
                probe.send(method, record.path, token, headers=((name, "DELETE"),))
            probe.send(method, record.path, token, (("_method", "DELETE"),))
        return must_be_as_before(made, record, probe.a, before, "the record")
