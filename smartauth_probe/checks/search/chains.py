"""Questions through another type: chains and `_has`."""

from collections.abc import Callable, Iterator
from typing import Any

from smartauth_probe.checks.check import Check, Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_count_alike, must_show_only
from smartauth_probe.checks.search.counts import COUNTS
from smartauth_probe.checks.search.section import CLOSE, KIND, SEARCH, SECTION
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer, codings
from smartauth_probe.target.probe import READER, Probe


def _code_of_b(probe: Probe) -> str:
    """A code that B's records have and A's have not. Raises Skip."""
    own = {code for record in probe.a.records.get(KIND, ()) for _, code in codings(record.content, "code")}
    for record in probe.b.records.get(KIND, ()):
        for _, code in codings(record.content, "code"):
            if code not in own:
                return probe.hide(code, "a code of B alone")
    raise Skip("B has no Observation with a code that A has not.", "such a record for B")


CHAINS: dict[str, tuple[str, str]] = {
    "has": ("Patient", "_has:Observation:patient:code"),
    "has-by-subject": ("Patient", "_has:Observation:subject:code"),
    "chained-has": ("Encounter", "patient._has:Observation:patient:code"),
}


def _chained(name: str) -> Callable[[Probe], Result]:
    """What B alone has, and what nobody has: no difference, with the scope for both types and with one of them."""

    def run(probe: Probe) -> Result:
        kind, parameter = CHAINS[name]
        code, results = _code_of_b(probe), []
        both = f"{probe.a.id},{probe.b.id}"
        more = (("_id", both),) if kind == "Patient" else (("patient", both),)
        for scope in (READER, f"patient/{kind}.rs"):
            token = probe.token(scope)
            known, unknown = (
                probe.search(kind, token, *more, (parameter, value), *COUNTS["summary"])
                for value in (code, "nobody-has-this")
            )
            results += [_no_oracle(known, unknown, parameter), must_show_only(probe, known, parameter)]
        return worst(*results)

    return run


def _no_oracle(known: Answer, unknown: Answer, what: str) -> Result:
    if known.status != unknown.status:
        both = f"{known.status} and {unknown.status}"
        return failed(f"{what} tells what others have.", "the same twice", both, Danger.CONTENT)
    return must_count_alike(known, unknown, what)


def _chain_checks() -> Iterator[Check]:
    for name in CHAINS:
        yield Check(
            id="SR-23",
            name=f"chain-{name}",
            section=SECTION.key,
            title=f"{CHAINS[name][1]} answers for B's records as for records that nobody has",
            headline=f"{CHAINS[name][1]} tells what another patient has",
            why="A question through another type passes by the filter. Yes and no tell what somebody has.",
            fix=CLOSE,
            source=SEARCH,
            run=_chained(name),
            danger=Danger.CONTENT,
            since="STU3",  # _has
        )


SECTION.checks.extend(_chain_checks())


def _named_otherwise(parameter: str, values: Callable[[Probe], str]) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token, results, value = probe.token(), [], values(probe)
        # a server that wants the patient to be named in a search may be content with A beside B
        for beside in ((), (("patient", f"{probe.a.id},{probe.b.id}"),)):
            for how in ("summary", "count-0"):
                known, unknown = (
                    probe.search(KIND, token, *beside, (parameter, each), *COUNTS[how])
                    for each in (value, "nobody-7f3k29qd")
                )
                results.append(_no_oracle(known, unknown, parameter))
            results.append(must_show_only(probe, probe.search(KIND, token, *beside, (parameter, value)), parameter))
        return worst(*results)

    return run


def _family_of_b(probe: Probe) -> str:
    answer = probe.read("Patient", probe.b.id, probe.token(READER, probe.b.id))
    names: Any = answer.resource.get("name")
    for each in names if isinstance(names, list) else ():
        if isinstance(each, dict) and isinstance(each.get("family"), str):
            return probe.hide(each["family"], "the family name of B")
    raise Skip("Patient B has no family name that was found.", "a name for B")


for _name, _parameter, _value in (
    ("chain-by-name", "subject.name", _family_of_b),
    ("chain-by-typed-name", "subject:Patient.name", _family_of_b),
    ("chain-by-identifier", "patient.identifier", lambda probe: probe.identifier_of_b),
):
    SECTION.checks.append(
        Check(
            id="SR-08",
            name=_name,
            section=SECTION.key,
            title=f"A search by {_parameter} of another patient is one for nobody",
            headline=f"A search by {_parameter} tells about another patient",
            why="A name or number of somebody else goes into the search. The answer tells whether they are known here.",
            fix=CLOSE,
            source=SEARCH,
            run=_named_otherwise(_parameter, _value),
            danger=Danger.CONTENT,
        )
    )


@SECTION.check(
    "SR-09",
    "chain-without-scope",
    title="A chain through a type without a scope is not evaluated",
    headline="A chain reads a type that the token has no scope for",
    why="The token may see measurements, and a chain asks about the patient. What nobody shared decides the answer.",
    fix=CLOSE,
    source=SEARCH,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    probe.a.first(KIND)
    token = probe.token(f"patient/{KIND}.rs")
    own, none = (
        probe.search(KIND, token, ("patient._id", key), *COUNTS["summary"]) for key in (probe.a.id, probe.unknown_id)
    )
    wide = probe.search(KIND, probe.token(), ("patient._id", probe.a.id), *COUNTS["summary"])
    if not wide.is_ok or not wide.total:
        return passed(f"Chains are not evaluated: {wide}.")
    return _no_oracle(own, none, "patient._id without a scope for Patient")
