"""Numbers: two searches that may differ by a record of another patient only are counted."""

from collections.abc import Callable, Iterator

from smartauth_probe.checks.check import Check, Danger, Result, failed, passed, worst
from smartauth_probe.checks.judging import must_count_alike_beside
from smartauth_probe.checks.search.section import KIND, NARROW, NUMBER, SEARCH, SECTION, Pairs
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import PARAMETERS
from smartauth_probe.target.probe import Probe

COUNTS: dict[str, Pairs] = {
    "summary": (("_summary", "count"),),
    "count-0": (("_count", "0"),),
    "total-accurate": (("_total", "accurate"),),
    "total-estimate": (("_total", "estimate"),),
    "page": (("_count", "1"),),
}

TOGETHER: dict[str, Callable[[str, str], Pairs]] = {
    "patient": lambda a, other: (("patient", f"{a},{other}"),),
    "subject": lambda a, other: (("subject", f"Patient/{a},Patient/{other}"),),
    "subject-typed": lambda a, other: (("subject:Patient", f"{a},{other}"),),
}


def _listed(probe: Probe, kind: str, *query: tuple[str, str]) -> Callable[[], Answer]:
    """What such a search counts."""
    return lambda: probe.search(kind, probe.token(), *query, ("_count", "200"))


def _counted(way: str, how: str) -> Callable[[Probe], Result]:
    """A and B, A and an id that never existed, A alone: the same number."""

    def run(probe: Probe) -> Result:
        token, results = probe.token(), []
        for kind in [kind for kind in probe.b.records if kind not in PARAMETERS][:2] or [KIND]:
            pairs = TOGETHER[way]
            both, none = (
                probe.search(kind, token, *pairs(probe.a.id, other), *COUNTS[how])
                for other in (probe.b.id, probe.unknown_id)
            )
            what, listed = f"{kind} of A and B, {how}", _listed(probe, kind, *pairs(probe.a.id, probe.b.id))
            results.append(must_count_alike_beside(probe, both, none, what, listed))
        return worst(*results)

    return run


def _count_checks() -> Iterator[Check]:
    for way in TOGETHER:
        for how in COUNTS:
            yield Check(
                id="SR-22",
                name=f"count-by-{way}-{how}",
                section=SECTION.key,
                title=f"A count ({how}) for A and another patient together is the one for A alone, asked by {way}",
                headline=f"A count ({how}) gives away another patient's records",
                why=NUMBER,
                fix=NARROW,
                source=SEARCH,
                run=_counted(way, how),
                danger=Danger.CONTENT,
                since="R4" if how.startswith("total") else "DSTU2",
            )


SECTION.checks.extend(_count_checks())


@SECTION.check(
    "SR-22",
    "count-of-patients",
    title="A count of two patients by their ids is the one of the token's patient",
    headline="A count of patients tells that another one exists",
    why=NUMBER,
    fix=NARROW,
    source=SEARCH,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for how, pairs in COUNTS.items():
        two, one = (("_id", f"{probe.a.id},{other}") for other in (probe.b.id, probe.unknown_id))
        both, none = (probe.search("Patient", token, pair, *pairs) for pair in (two, one))
        what, listed = f"Patient by two ids, {how}", _listed(probe, "Patient", two)
        results.append(must_count_alike_beside(probe, both, none, what, listed))
    return worst(*results)


@SECTION.check(
    "SR-13",
    "count-is-of-the-patient",
    title="The total of a search without a patient is the one of the token's patient",
    headline="The total of a search counts everybody's records",
    why=NUMBER,
    fix=NARROW,
    source=SEARCH,
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    token, results = probe.token(), []
    for kind in ("Patient", *probe.a.records):
        own = (("_id", probe.a.id),) if kind == "Patient" else ((PARAMETERS.get(kind, "patient"), probe.a.id),)
        everything, mine = (probe.search(kind, token, *pairs, *COUNTS["summary"]) for pairs in ((), own))
        what, listed = f"{kind} without a patient", _listed(probe, kind)
        results.append(must_count_alike_beside(probe, everything, mine, what, listed))
    return worst(*results)


@SECTION.check(
    "SR-24",
    "count-of-history",
    title="The total of a history counts what the token may see",
    headline="The total of a history counts everybody's records",
    why=NUMBER,
    fix="Filter the versions first, and count what is left.",
    source="FHIR http, history",
    danger=Danger.CONTENT,
)
def _(probe: Probe) -> Result:
    paths = (f"{KIND}/_history", "_history")
    answers = {path: probe.send("GET", path, probe.token(), (("_count", "1000"),)) for path in paths}
    if not any(whole.is_ok for whole in answers.values()):
        probe.need(paths[0], answers[paths[0]])
    judged = (_counts_what_it_shows(probe, path, whole) for path, whole in answers.items() if whole.is_ok)
    return worst(passed(), *judged)


def _counts_what_it_shows(probe: Probe, path: str, whole: Answer) -> Result:
    entries = whole.resource.get("entry")
    shown = len(entries) if isinstance(entries, list) else 0  # a deletion has no resource
    one = probe.send("GET", path, probe.token(), (("_count", "1"),))
    if one.total is not None and not whole.link("next") and one.total > shown:
        return failed(f"{path} counts more than it shows.", f"{shown}", f"{one.total}")
    return passed()
