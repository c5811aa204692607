"""Searches that name no patient but something of another one's record: its id, its code, its date, their name."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from smartauth_probe.checks.check import Check, Result, worst
from smartauth_probe.checks.compartment.section import NARROW, PEOPLE, SECTION, SOURCE, _kinds
from smartauth_probe.checks.judging import must_count_alike_beside, must_show_only
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Json, codings
from smartauth_probe.target.fixture import PARAMETERS
from smartauth_probe.target.probe import Probe

DATES = ("effectiveDateTime", "performedDateTime", "occurrenceDateTime", "effectivePeriod", "period", "start")
A_DAY = 10  # characters


class Criterion(NamedTuple):
    """A search parameter, and its value as a record has it, "" for none; `words` stand for it in a report."""

    parameter: str
    value: Callable[[Json], str]
    words: str = ""


def _text(content: Json, name: str) -> str:
    found = content.get(name)
    return found if isinstance(found, str) else ""


def _objects(found: Any) -> Iterator[Json]:
    yield from (each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict))


def _code(content: Json, name: str) -> str:
    """The first code of it, with its system."""
    return next(("|".join(filter(None, coding)) for coding in codings(content, name) if coding[1]), "")


def _day(content: Json) -> str:
    for name in DATES:
        for found in (content.get(name), *(each.get("start") for each in _objects(content.get(name)))):
            if isinstance(found, str) and len(found) >= A_DAY:
                return found[:A_DAY]
    return ""


def _encounter(content: Json) -> str:
    return next((_text(each, "reference") for each in _objects(content.get("encounter"))), "")


OF_A_RECORD = {
    "id": Criterion("_id", lambda content: _text(content, "id")),
    "code": Criterion("code", lambda content: _code(content, "code"), "a code of B"),
    "category": Criterion("category", lambda content: _code(content, "category")),
    "status": Criterion("status", lambda content: _text(content, "status")),
    "date": Criterion("date", _day, "a day of B"),
    "encounter": Criterion("encounter", _encounter),
}


def _of_a_alone(probe: Probe, kind: str, criterion: tuple[str, str]) -> Result:
    """What is found by it is as with A named beside it."""
    token, own = probe.token(), (PARAMETERS.get(kind, "patient"), probe.a.id)
    every, mine = (probe.search(kind, token, criterion, *more) for more in ((), (own,)))
    what = f"{kind} by {criterion[0]}"
    return worst(must_show_only(probe, every, what), must_count_alike_beside(probe, every, mine, what, lambda: every))


def _by_record(way: str) -> Callable[[Probe], Result]:
    criterion = OF_A_RECORD[way]

    def run(probe: Probe) -> Result:
        results = []
        for kind in _kinds(probe)[:3]:
            found = filter(None, (criterion.value(record.content) for record in probe.b.records[kind]))
            if value := next(found, ""):
                shown = probe.hide(value, criterion.words) if criterion.words else value
                results.append(_of_a_alone(probe, kind, (criterion.parameter, shown)))
        if not results:
            raise Skip(f"No record of B has what {criterion.parameter} finds.", f"records of B that name their {way}")
        return worst(*results)

    return run


def _check(way: str) -> Check:
    return Check(
        id="PC-04",
        name=f"search-{way}-of-other",
        section=SECTION.key,
        title=f"A search by the {way} of another patient's record, without a patient, finds nothing of theirs",
        headline=f"A search by the {way} of a record finds those of other patients",
        why=f"A filter that stands in one way to search is missing in the next one. {PEOPLE}",
        fix=NARROW,
        source=SOURCE,
        run=_by_record(way),
    )


SECTION.checks.extend(_check(way) for way in OF_A_RECORD)


def _of_b(probe: Probe) -> Iterator[tuple[str, str]]:
    """What searches for patients find B by, as their own token reads it."""
    content = probe.read("Patient", probe.b.id, probe.reader(probe.b.id)).resource
    names = next(_objects(content.get("name")), {})
    given = names.get("given")
    first = given[0] if isinstance(given, list) and given and isinstance(given[0], str) else ""
    family = _text(names, "family")  # in DSTU2 a list
    for parameter, value, words in (
        ("name", family or first or _text(names, "text"), "a name of B"),
        ("family", family, "a name of B"),
        ("given", first, "a given name of B"),
        ("birthdate", _text(content, "birthDate"), "the birth date of B"),
    ):
        if value:
            yield parameter, probe.hide(value, words)


@SECTION.check(
    "PC-07",
    "search-patients-by-name",
    title="A search for another patient by name or birth date finds the token's patient only",
    headline="A search for patients by name finds others",
    why="A name is what somebody who looks for a person has first. Who is found did not agree to be found.",
    fix=NARROW,
    source=SOURCE,
)
def _(probe: Probe) -> Result:
    token = probe.token()
    pairs = list(_of_b(probe))
    if not pairs:
        raise Skip("Patient B has no name and no birth date that was found.", "a name for B")
    found = [must_show_only(probe, probe.search("Patient", token, pair), f"Patient by {pair[0]}") for pair in pairs]
    return worst(*found)
