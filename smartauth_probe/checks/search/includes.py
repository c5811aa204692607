"""What comes along with what was searched for."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, failed, worst
from smartauth_probe.checks.judging import must_show_only
from smartauth_probe.checks.search.section import EACH, KIND, SEARCH, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.probe import Probe

INCLUDES = (
    ("include-subject", KIND, "_include", "Observation:subject"),
    ("include-patient", KIND, "_include", "Observation:patient"),
    ("include-everything", KIND, "_include", "*"),
    ("include-iterate", KIND, "_include:iterate", "*"),
    ("include-recurse", KIND, "_include:recurse", "*"),  # the name of :iterate until STU3
    ("include-encounter", KIND, "_include", "Observation:encounter"),
    ("include-result", "DiagnosticReport", "_include", "DiagnosticReport:result"),
)

REVERSED = (
    ("revinclude-observation", "Patient", "_revinclude", "Observation:subject"),
    ("revinclude-patient", "Patient", "_revinclude", "Observation:patient"),
    ("revinclude-condition", "Patient", "_revinclude", "Condition:patient"),
    ("revinclude-everything", "Patient", "_revinclude", "*"),
)


def _included(kind: str, parameter: str, value: str) -> Callable[[Probe], Result]:
    """With a scope for one type alone nothing of another type comes along."""

    def run(probe: Probe) -> Result:
        if kind != "Patient":
            probe.a.first(kind)
        answer = probe.search(kind, probe.token(f"patient/{kind}.rs"), (parameter, value))
        other = [name for name in answer.names if name.partition("/")[0] != kind]
        if other:
            seen = f"{parameter}={value} brings types without a scope."
            return failed(seen, f"{kind} alone", ", ".join(other[:3]), Danger.RECORDS)
        return must_show_only(probe, answer, f"{parameter}={value}")

    return run


for _name, _kind, _parameter, _include in (*INCLUDES, *REVERSED):
    SECTION.checks.append(
        Check(
            id="SR-04" if (_name, _kind) == ("include-subject", KIND) else "SR-06" if "rev" in _name else "SR-05",
            name=_name,
            section=SECTION.key,
            title=f"{_parameter}={_include} brings nothing that the token has no scope for",
            headline=f"{_parameter}={_include} brings records that the token has no scope for",
            why="The app asks for what belongs to a record, and gets more than it may read. Nobody agreed to that.",
            fix=EACH,
            source=SEARCH,
            run=_included(_kind, _parameter, _include),
            since="R4" if "iterate" in _parameter else "DSTU2",
        )
    )


@SECTION.check(
    "SR-07",
    "include-from-list",
    title="A list of A that names B's records does not bring them",
    headline="A list of A brings B's records",
    why="A list, an appointment or a group may name records of others. They come along with it.",
    fix=EACH,
    source=SEARCH,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    asked = (("List", "List:item"), ("Appointment", "Appointment:actor"), ("Group", "Group:member"))
    answers = [(kind, probe.search(kind, token, ("_include", value))) for kind, value in asked]
    if not any(answer.is_ok and answer.entries for _, answer in answers):
        raise Skip("There is no List, Appointment or Group of A.", "a List of A that names a record of B")
    return worst(*(must_show_only(probe, answer, kind) for kind, answer in answers))
