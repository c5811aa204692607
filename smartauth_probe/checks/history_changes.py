"""What becomes of a record that is deleted, or moves to another patient: made for the check, with --writes."""

from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.checks.history import HTTP, OWN, PEOPLE, SECTION
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.checks.writes.copies import Copies, copies
from smartauth_probe.loading.made import SERVICE, new_identifier
from smartauth_probe.segments import segment
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import READER, WIDEST, Probe

AFTERWARDS = (("GET", ""), ("GET", "/_history"), ("GET", "/_history/1"), ("DELETE", ""))


@SECTION.check(
    "HV-04",
    "deleted-record",
    title="A deleted record of another patient is answered like one that never existed",
    headline="410 tells that another patient had a record",
    why="410 tells that there was something. That somebody had a record is told with it.",
    fix="Answer 410 only to those who could have read it, else like an unknown id.",
    source="FHIR http, delete",
    danger=Danger.EXISTENCE,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        owner, of_b = made.owner(probe.b), probe.b.any()
        kind, content = of_b.type, {**of_b.content, "identifier": [new_identifier()]}
        record = segment(made.make(kind, content, owner))
        probe.need("delete", probe.send("DELETE", f"{kind}/{record}", owner))
        return worst(
            *(_must_be_unknown(probe, kind, record, *way) for way in AFTERWARDS), _unlisted(probe, kind, record)
        )


def _must_be_unknown(probe: Probe, kind: str, record: str, method: str, below: str) -> Result:
    token = probe.token(WIDEST if method == "DELETE" else READER)
    paths = (f"{kind}/{key}{below}" for key in (record, probe.unknown_id))
    deleted, unknown = (probe.send(method, path, token) for path in paths)
    return must_be_alike(deleted, unknown, f"the deleted record by {method}{below and ' of its history'}")


def _unlisted(probe: Probe, kind: str, record: str) -> Result:
    """A deletion has no content, and its address alone tells."""
    history = probe.send("GET", f"{kind}/_history", probe.token(), (("_count", "200"),))
    if record.encode() in history.content:
        return failed("A deletion stands in the history.", "no word of it", f"{kind}/{record}", Danger.EXISTENCE)
    return passed()


def _moved(made: Copies) -> Record:
    """A record of B that a service has made one of A; as it was before. Raises Skip."""
    probe = made.probe
    new = made.of(probe.b)
    before = Record.of(probe.need("a read", probe.read(new.type, new.id, made.owner(probe.b))).resource)
    content = {**new.content, "subject": {"reference": probe.a.path}}
    probe.need("an update by a service", made.put(new.path, content, probe.token(SERVICE, "")))
    return before


@SECTION.check(
    "HV-02",
    "record-that-moved",
    title="Of a record that moves to another patient, each of the two sees the versions that were theirs",
    headline="A record that moved shows the versions of another patient",
    why=f"The history is judged by the version that stands today. {PEOPLE}",
    fix=OWN,
    source=HTTP,
    writes=True,
)
def _(probe: Probe) -> Result:
    with copies(probe) as made:
        before, results = _moved(made), []
        path = f"{before.path}/_history"
        now = Record.of(probe.need("a read", probe.read(before.type, before.id, probe.token())).resource)
        probe.need("a version", probe.send("GET", f"{path}/{now.version}", probe.token()))
        for person, version in ((probe.a, before.version), (probe.b, now.version)):
            token = probe.token(READER, person.id)
            answers = [probe.send("GET", each, token) for each in (path, f"{path}/{version}", before.path)]
            results += [must_show_only(probe, each, f"to {person.letter}, the record", person.id) for each in answers]
        return worst(*results)
