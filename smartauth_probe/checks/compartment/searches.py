"""Searches for another patient, in every way to name them."""

from collections.abc import Callable

from smartauth_probe.checks.check import Check, Danger, Result, worst
from smartauth_probe.checks.compartment.section import HIDE, NARROW, PEOPLE, SECTION, SOURCE, _kinds
from smartauth_probe.checks.judging import must_count_alike_beside, must_show_only
from smartauth_probe.target.fixture import PARAMETERS, Person
from smartauth_probe.target.probe import Probe


@SECTION.check(
    "PC-04",
    "search-without-patient",
    title="A search that names no patient finds the token's patient only",
    headline="A search that names no patient finds everybody's records",
    why=f"A patient's app need not name the patient, and then the server must. {PEOPLE}",
    fix=NARROW,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    return worst(*(must_show_only(probe, probe.search(kind, token), kind) for kind in ("Patient", *_kinds(probe))))


def _ways(b: Person, base: str, kind: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """How a search names B."""
    name = PARAMETERS.get(kind, "patient")
    return {
        "by-id": ((name, b.id),),
        "by-reference": ((name, b.path),),
        "by-url": ((name, f"{base}/{b.path}"),),
        "by-subject": (("subject", b.path),),
        "by-typed-subject": (("subject:Patient", b.id),),
        "with-own": ((name, f"{{a}},{b.id}"),),
        "beside-own": ((name, "{a}"), (name, b.id)),
        "by-identifier": (("patient:identifier", "{identifier}"),),
        "by-chain": (("patient._id", b.id),),
        "by-not": (("subject:not", "Patient/{a}"),),
        "by-missing": (("subject:missing", "false"),),
    }


def _search_of_b(way: str) -> Callable[[Probe], Result]:
    def run(probe: Probe) -> Result:
        token, results = probe.token(), []
        for kind in _kinds(probe)[:3]:
            pairs = _ways(probe.b, probe.client.base, kind)[way]
            own = [(name, _filled(probe, value)) for name, value in pairs]
            results.append(must_show_only(probe, probe.search(kind, token, *own), f"{kind} of B, {way}"))
        return worst(*results)

    return run


def _filled(probe: Probe, value: str) -> str:
    return value.replace("{a}", probe.a.id).replace("{identifier}", probe.identifier_of_b if "{i" in value else "")


def _search_check(way: str) -> Check:
    return Check(
        id="PC-06" if way == "by-identifier" else "PC-05",
        name=f"search-other-{way}",
        section=SECTION.key,
        title=f"A search for another patient, {way.replace('-', ' ')}, finds nothing of theirs",
        headline=f"A search for another patient, {way.replace('-', ' ')}, finds their records",
        why=f"The app names another patient in its search, which costs it nothing. {PEOPLE}",
        fix=NARROW,
        source=SOURCE,
        run=_search_of_b(way),
    )


SECTION.checks.extend(_search_check(way) for way in _ways(Person("B", ""), "", "Observation"))


@SECTION.check(
    "PC-07",
    "search-patients",
    title="A search for patients finds the token's patient only",
    headline="A search for patients finds others",
    why="A list of patients is what somebody looks for first. Who is in it did not agree to be found.",
    fix=NARROW,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    asked = [(), (("_id", probe.b.id),), (("_id", f"{probe.a.id},{probe.b.id}"),), (("active", "true"),)]
    searches = [probe.search("Patient", token, *pairs) for pairs in asked]
    return worst(*(must_show_only(probe, answer, "Patient") for answer in searches))


@SECTION.check(
    "PC-07",
    "search-patient-by-identifier",
    title="A search by another patient's record number is as one for a number that nobody has",
    headline="A search by record number tells that another patient exists",
    why="Record numbers can be counted up. A different answer tells who is a patient here.",
    fix=NARROW,
    source=HIDE,
    danger=Danger.EXISTENCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    known, unknown = (
        probe.search("Patient", token, ("identifier", value)) for value in (probe.identifier_of_b, "nobody-7f3k")
    )
    counted = must_count_alike_beside(probe, known, unknown, "identifier", lambda: known)
    return worst(must_show_only(probe, known, "Patient"), counted)
