"""Who may start an export, and of what."""

from smartauth_probe.checks.bulk.jobs import PATHS, cancel, export, is_started, need_export, service, start
from smartauth_probe.checks.bulk.section import ALL, BACKEND, BULK, SECTION, TYPES
from smartauth_probe.checks.check import Danger, Result, failed, passed, worst
from smartauth_probe.segments import segment
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.probe import NO_TOKEN, Probe
from smartauth_probe.target.sending import Pairs
from smartauth_probe.tokens.source import GivenToken

KIND = "Observation"


def _must_not_start(probe: Probe, path: str, token: GivenToken, query: Pairs = ()) -> Result:
    answer = start(probe, path, token, query)
    if is_started(answer):
        cancel(probe, answer, token)
        return failed(f"{path} is started with {token.label}.", "403", str(answer), Danger.RECORDS)
    return passed(f"{path}: {answer}.")


@SECTION.check(
    "BX-01",
    "export-by-patient",
    title="A bulk export is refused to a patient's app",
    headline="A bulk export is started for a patient's app",
    why=f"{ALL} An app of one patient gets them.",
    fix="Demand system/ scopes for $export, and refuse patient/ and user/ with 403.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    tokens = (probe.token("patient/*.rs"), probe.token("user/*.rs", ""))
    paths = (*PATHS, f"Group/{probe.unknown_id}/$export")
    return worst(*(_must_not_start(probe, path, token) for token in tokens for path in paths))


@SECTION.check(
    "BX-05",
    "export-without-token",
    title="A bulk export needs a token",
    headline="A bulk export is started without a token",
    why=f"{ALL} Anybody gets them.",
    fix="Demand the token before the path is looked at.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    return _must_not_start(probe, need_export(probe), NO_TOKEN, (("_type", "Patient"),))


@SECTION.check(
    "BX-02",
    "export-letters",
    title="A bulk export takes scopes to read",
    headline="A bulk export is started for a service that may only write",
    why=f"{ALL} A service that only delivers gets them.",
    fix="Demand r and s of each type that is exported.",
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    return _must_not_start(probe, need_export(probe), service(probe, "system/*.cud"))


def _must_export(probe: Probe, query: Pairs) -> Result:
    """Nothing but results, with a scope for results."""
    with export(probe, f"system/{KIND}.rs", query) as job:
        if job is None:
            return passed("It is refused.")
        others = sorted({kind for kind, _ in job.files()} - {KIND, "OperationOutcome"})
    if others:
        return failed(f"{', '.join(others[:3])} is exported too.", KIND, ", ".join(others), Danger.RECORDS)
    return passed(f"It exports {KIND} alone.")


@SECTION.check(
    "BX-02",
    "export-one-type",
    title="An export that names no type has the types of the scope",
    headline="An export that names no type has all types",
    why="The scope is judged for the start alone. A service that was allowed results gets everybody's records whole.",
    fix=TYPES,
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    return _must_export(probe, ())


@SECTION.check(
    "BX-03",
    "export-named-types",
    title="An export that names more types than the scope has is refused or reduced",
    headline="An export has the types that it names, whatever the scope",
    why="The types of the request take the place of those of the scope. A service gets what nobody allowed it.",
    fix=TYPES,
    source=BACKEND,
)
def _(probe: Probe) -> Result:
    return _must_export(probe, (("_type", f"Patient,{KIND}"),))


@SECTION.check(
    "BX-04",
    "export-of-group",
    title="The export of a group takes a scope to read it, and a group that there is",
    headline="The export of a group is started without a scope to read it, or of a group that there is not",
    why="Who is in the group is not asked, or anybody's group is taken. A service gets patients of others.",
    fix="Read the group with the token of the request first.",
    source=BULK,
)
def _(probe: Probe) -> Result:
    need_export(probe)
    found = probe.search("Group", service(probe), ("_count", "1"))
    narrow = service(probe, "system/Patient.rs system/Observation.rs")
    results = [_must_not_start(probe, f"Group/{segment(key)}/$export", narrow) for key in _ids(found)]
    return worst(*results, _must_not_start(probe, f"Group/{probe.unknown_id}/$export", service(probe)))


def _ids(found: Answer) -> list[str]:
    return [str(each["id"]) for each in found.entries if each.get("resourceType") == "Group" and each.get("id")]
