"""Old versions and deleted records (docs/specification/resource-server.md, history)."""

from smartauth_probe.checks.check import Danger, Result, Section, failed, passed, worst
from smartauth_probe.checks.judging import must_be_alike, must_show_only
from smartauth_probe.segments import segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.fixture import of_others
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.sending import Pairs

SECTION = Section("history", "History and deleted", "Old versions that belonged to B")
HTTP = "FHIR http, history"
HIDE = "FHIR security, Access Denied Response Handling"
OWN = "Judge each version by its own content, not by the one that stands today."
PEOPLE = "What somebody was once thought to have is theirs, and nobody else's."


@SECTION.check(
    "HV-03",
    "type-history",
    title="The history of a type shows the token's patient only",
    headline="The history of a type shows everybody's versions",
    why=f"History has routes of its own, and a filter for searches is not on them. {PEOPLE}",
    fix=OWN,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    token, kinds = probe.token(), ["Patient", *list(probe.b.records)[:3]]
    asked: list[tuple[str, Pairs]] = [(kind, ()) for kind in kinds]
    asked += [(kinds[-1], (("_since", "1900-01-01T00:00:00Z"),))]
    answers = [probe.send("GET", f"{kind}/_history", token, pairs) for kind, pairs in asked]
    if not any(answer.is_ok for answer in answers):
        raise Skip(f"There is no history of a type: it answered {answers[0].status}.")
    return worst(*(must_show_only(probe, answer, "the history") for answer in answers))


@SECTION.check(
    "HV-03",
    "whole-history",
    title="The history of all types shows the token's patient only",
    headline="The history of all types shows everybody's versions",
    why=f"History has routes of its own, and a filter for searches is not on them. {PEOPLE}",
    fix=OWN,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    asked = ((), (("_since", "1900-01-01T00:00:00Z"),), (("_count", "200"),))
    answers = [probe.need("_history", probe.send("GET", "_history", token, pairs)) for pairs in asked[:1]]
    answers += [probe.send("GET", "_history", token, pairs) for pairs in asked[1:]]
    return worst(*(must_show_only(probe, answer, "the history") for answer in answers))


@SECTION.check(
    "HV-06",
    "vread-of-other",
    title="A version of another patient's record is answered like one that never existed",
    headline="A version of another patient's record is shown, or told apart",
    why=f"A version has a path of its own, and often no check of its own. {PEOPLE}",
    fix=OWN,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    record, token = probe.b.any(), probe.token()
    version = record.version or "1"
    probe.need_interaction(record.type, "vread")
    paths = (f"{record.type}/{segment(key)}/_history/{version}" for key in (record.id, probe.unknown_id))
    other, unknown = (probe.send("GET", path, token) for path in paths)
    return must_be_alike(other, unknown, "the version")


@SECTION.check(
    "HI-01",
    "history-of-other",
    title="The history of another patient's record is answered like one that never existed",
    headline="The history of another patient's record is shown, or told apart",
    why=f"History has routes of its own, and often no check of its own. {PEOPLE}",
    fix=OWN,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for record in (probe.b.any(), probe.b):
        path = record.path
        other, unknown = (
            probe.send("GET", f"{each}/_history", token) for each in (path, f"{path.split('/')[0]}/{probe.unknown_id}")
        )
        results += [must_be_alike(other, unknown, f"history of {path}"), must_show_only(probe, other, "the history")]
    return worst(*results)


@SECTION.check(
    "HV-01",
    "version-that-was-anothers",
    title="An old version of A's record that was about another patient stays hidden",
    headline="An old version that was about another patient is shown",
    why=f"A record was moved from one patient to another, and its history was not judged. {PEOPLE}",
    fix=OWN,
    source=HTTP,
)
def _(probe: Probe) -> Result:
    token, seen = probe.token(), 0
    for records in probe.a.records.values():
        for record in records:
            if record.version in ("", "0", "1"):
                continue
            answer = probe.send("GET", f"{record.path}/_history", token)
            first = probe.send("GET", f"{record.path}/_history/1", token)
            seen += answer.is_ok or first.is_ok
            if foreign := of_others(answer, probe.a.id) + of_others(first, probe.a.id):
                return failed("A version of another patient is shown.", "versions of A", foreign[0])
    if not seen:
        raise Skip("No record of A has a history that was found.", "a record of A that was B's before")
    return passed()


@SECTION.check(
    "HV-05",
    "conditional-read",
    title="A conditional read of another patient's record is answered like one of an id that never existed",
    headline="A conditional read tells that another patient's record exists",
    why="304 comes before the check, and tells that the record exists. With a date it tells when it was changed.",
    fix="Judge first, and compare ETag and date of what the token may see only.",
    source="RFC 9110 §13, FHIR http",
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    record, token, results = probe.b.any(), probe.token(), []
    for header in (
        ("If-None-Match", f'W/"{record.version or "1"}"'),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"),
    ):
        other, unknown = (probe.read(record.type, key, token, header) for key in (record.id, probe.unknown_id))
        results.append(must_be_alike(other, unknown, f"{header[0]}"))
    return worst(*results)
