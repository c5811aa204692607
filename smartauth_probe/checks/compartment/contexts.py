"""The patient that the token names, and ids that are written otherwise."""

from smartauth_probe.checks.check import Result, failed, passed, worst
from smartauth_probe.checks.compartment.section import SECTION, SOURCE, _kinds
from smartauth_probe.checks.judging import must_lack_scope, must_show_only
from smartauth_probe.segments import segment
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "PC-20",
    "no-patient-in-token",
    title="patient/ scopes without a patient in the token open nothing",
    headline="patient/ scopes without a patient in the token open records",
    why="Where the patient is missing, the filter is missing. One such token reads the records of all.",
    fix="Refuse patient/ scopes with 403 where the token names no patient; no filter is never all.",
    source="SMART App Launch 2.2, scopes and launch context",
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/*.rs", "")
    kind = next(iter(probe.a.records), "Patient")
    results = [must_lack_scope(probe.read("Patient", key, token), "read") for key in (probe.a.id, probe.b.id)]
    return worst(*results, must_lack_scope(probe.search(kind, token), f"search of {kind}"))


@SECTION.check(
    "PC-19",
    "unknown-patient-in-token",
    title="A token for a patient who does not exist opens nothing",
    headline="A token for a patient who does not exist opens records",
    why="A patient was deleted or merged, and the token lives on. Records of others must not fill the gap.",
    fix="Filter by the patient of the token whether there is one or not; nothing found is an empty answer.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token("patient/*.rs", "gone-7f3k29qd")
    for kind in ("Patient", *_kinds(probe)):
        answer = probe.search(kind, token)
        if answer.holds_data:
            return failed(f"A search of {kind} finds something.", "nothing", str(answer))
    read = probe.read("Patient", probe.a.id, token)
    return failed("Patient A is read.", "404", str(read)) if read.is_ok and read.holds_data else passed()


@SECTION.check(
    "PC-21",
    "patient-written-otherwise",
    title="The patient in the token is compared exactly",
    headline="A patient that is written almost like another one opens their record",
    why="The id is cut, lowered or joined to a path before it is compared. One person's token opens another's record.",
    fix="Take the id from the token as it is, refuse what is no FHIR id, and compare it as a whole.",
    source="SMART App Launch 2.2, scopes and launch context",
)
def _(probe: Probe) -> Result:
    a = probe.a.id
    cased = a.upper() if a.upper() != a else a.lower()
    for written in (cased, f"{a} ", f" {a}", f"{a}/", f"x/../{a}", f"{a},{probe.b.id}", "*", "%"):
        answer = probe.read("Patient", a, probe.token("patient/*.rs", written))
        if answer.is_ok and answer.holds_data:
            return failed(f"patient {written!r} opens {a}.", "404 or 403", str(answer))
        found = probe.search("Patient", probe.token("patient/*.rs", written))
        if found.holds_data:
            return failed(f"patient {written!r} finds {found.names[:2]}.", "nothing", str(found))
    return passed()


@SECTION.check(
    "PC-21",
    "id-written-otherwise",
    title="An id in the path that is written otherwise leads to nothing else",
    headline="Another spelling of the path leads around the check",
    why="The check reads one spelling of the path, and the store another. Records of others come out between the two.",
    fix="Route first and check what was routed to; refuse ids that are no FHIR id.",
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token, a, b = probe.token(), segment(probe.a.id), segment(probe.b.id)
    paths = (
        f"Patient/{a}/../{b}",
        f"Patient/{a}%2f..%2f{b}",
        f"Patient//{b}",
        f"Patient/./{b}",
        f"Patient/{b}/",
        f"patient/{b}",
        f"Patient/{b}%20",
        f"Patient/{b}%00",
        f"Patient/{b};{a}",
        f"Patient/{a}/..;/{b}",
        f"Patient/{b}.json",
        f"Patient/{b}?_format=json",
    )
    for path in paths:
        answer = probe.get_as_written(path, token)
        if answer.is_ok and answer.id == probe.b.id:
            return failed(f"GET {path} shows Patient B.", "404", str(answer))
        result = must_show_only(probe, answer, f"GET {path}")
        if result.is_failed:
            return result
    return passed(f"None of {len(paths)} spellings leads to Patient B.")
