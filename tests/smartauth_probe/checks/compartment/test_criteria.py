"""A search that names no patient, by what another patient's record says of itself."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Danger, Outcome
from smartauth_probe.checks.compartment.criteria import OF_A_RECORD
from smartauth_probe.runner import chosen, run
from smartauth_probe.target.discovery import prepare
from smartauth_probe.target.fixture import Fixture, Person
from smartauth_probe.target.probe import Probe
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
CONTENT = {
    "resourceType": "Observation",
    "id": "ben-lab",
    "status": "final",
    "category": [{"text": "laboratory"}, {"coding": [{"system": "urn:c", "code": "laboratory"}]}],
    "code": {"coding": [{"display": "no code"}, {"code": "4548-4"}]},
    "effectivePeriod": {"start": "2026-03-05T08:30:00Z"},
    "encounter": {"reference": "Encounter/ben-visit"},
}
VALUES = {
    "id": "ben-lab",
    "code": "4548-4",
    "category": "urn:c|laboratory",
    "status": "final",
    "date": "2026-03-05",
    "encounter": "Encounter/ben-visit",
}


def probe_of(*faults: str) -> Probe:
    return prepare(client_of(*faults), OpenTokens())


@pytest.mark.requirement("PC-04")
def test_a_filter_that_is_lost_when_a_search_has_a_criterion_is_found() -> None:
    made = run(probe_of("criteria-open"), chosen(all_checks(), ["PC-04", "PC-05"]))

    found = {each.check.name: each.danger for each in made.of(Outcome.FAILED)}
    assert found == {f"search-{way}-of-other": Danger.RECORDS for way in OF_A_RECORD}


@pytest.mark.requirement("PC-04")
def test_a_count_by_a_criterion_that_counts_others_is_found() -> None:
    made = run(probe_of("count-before-filter"), chosen(all_checks(), ["search-category-of-other"]))

    assert [(each.result.outcome, each.danger) for each in made.results] == [(Outcome.FAILED, Danger.CONTENT)]


@pytest.mark.parametrize("way", OF_A_RECORD)
def test_a_record_is_searched_for_by_what_it_says(way: str) -> None:
    assert OF_A_RECORD[way].value(CONTENT) == VALUES[way]


@pytest.mark.parametrize("way", OF_A_RECORD)
@pytest.mark.parametrize("found", [None, 7, [], [7], {"coding": 7, "reference": 7, "start": 7}, ""])
def test_a_record_that_does_not_say_it_is_not_searched_for(way: str, found: object) -> None:
    content = dict.fromkeys(("id", "code", "category", "status", "effectiveDateTime", "period", "encounter"), found)

    assert OF_A_RECORD[way].value(content) == ""


@pytest.mark.requirement("PC-07")
def test_a_list_of_patients_by_name_is_found_where_the_one_without_is_right() -> None:
    made = run(probe_of("criteria-open"), chosen(all_checks(), ["search-patients-by-name"]))

    assert [each.result.received for each in made.of(Outcome.FAILED)] == ["Patient/ben"]


def test_what_is_from_a_record_stands_in_no_report() -> None:
    probe = probe_of()
    run(probe, chosen(all_checks(), ["search-*-of-other", "search-patients-by-name"]))

    assert {"a code of B", "a day of B", "a name of B"} <= set(probe.private.values())


def test_without_such_a_record_a_check_is_skipped_with_what_it_takes() -> None:
    probe = probe_of()
    probe.fixture = Fixture(probe.a, Person("B", probe.b.id, {"Encounter": probe.b.records["Encounter"]}))

    made = run(probe, chosen(all_checks(), ["search-code-of-other"]))

    assert [each.result.to_run for each in made.of(Outcome.SKIPPED)] == ["records of B that name their code"]
