"""The same findings in every FHIR version; what a version does not have is skipped with that reason."""

import functools

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Outcome
from smartauth_probe.loading.running import loaded
from smartauth_probe.runner import Run, run
from smartauth_probe.target.discovery import begin, prepare
from smartauth_probe.target.probe import Probe
from tests.smartauth_probe.small_server import BASE, InProcess, OpenTokens, SmallServer
from tests.smartauth_probe.small_versions import NUMBERS, media_type

pytestmark = pytest.mark.one_engine
VERSIONS = tuple(NUMBERS)
LEAKS = "search-open read-open forbidden-told write-anywhere letters-not-checked query-ignored has-open chain-open"
# what came with a later version
NEW_IN_STU3 = {
    "chain-has",
    "chain-has-by-subject",
    "chain-chained-has",
    "patch-with-c",
    "patch-to-other",
    "graphql-lists",
}
NEW_IN_R4 = {"count-by-patient-total-accurate", "count-by-subject-total-estimate", "include-iterate"}


def client_of(version: str, faults: str = "") -> InProcess:
    client = InProcess(BASE)
    client.server = SmallServer(frozenset(faults.split()), version=version)
    return client


def prepared(version: str, faults: str = "") -> Probe:
    """Of what was found in the right server, with these faults."""
    probe = prepare(client_of(version), OpenTokens(), writes=True)
    assert isinstance(probe.client, InProcess)
    probe.client.server.faults = frozenset(faults.split())
    return probe


@functools.cache
def run_of(version: str, faults: str = "") -> Run:
    return run(prepared(version, faults), list(all_checks()))


def names(made: Run, outcome: Outcome) -> set[str]:
    return {each.check.name for each in made.of(outcome)}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_of_each_version_that_does_everything_right_fails_nowhere(version: str) -> None:
    made = run_of(version)

    assert [(each.check.name, each.result) for each in made.of(Outcome.FAILED)] == []
    assert not [each for each in made.results if "probe itself" in each.result.seen]
    assert len(made.of(Outcome.PASSED)) > 300


@pytest.mark.parametrize("version", VERSIONS)
def test_the_version_is_read_and_its_media_type_is_spoken(version: str) -> None:
    probe = prepared(version)

    assert probe.facts.version == version
    assert f"FHIR {version} ({NUMBERS[version]})" in str(probe.facts)
    assert probe.client.accept == media_type(version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_records_are_of_the_types_of_the_version(version: str) -> None:
    order = "MedicationOrder" if version == "DSTU2" else "MedicationRequest"

    found = [kind for kind in prepared(version).a.records if kind.startswith("Medication")]

    assert found == [order]


@pytest.mark.parametrize(
    ("version", "new"),
    [("DSTU2", NEW_IN_STU3 | NEW_IN_R4), ("STU3", NEW_IN_R4), ("R4", set()), ("R4B", set()), ("R5", set())],
)
def test_what_came_with_a_later_version_is_skipped_with_that_reason(version: str, new: set[str]) -> None:
    skipped = run_of(version).of(Outcome.SKIPPED)

    for_version = {each.check.name for each in skipped if f"FHIR {version} has no such thing" in each.result.seen}
    assert for_version & (NEW_IN_STU3 | NEW_IN_R4) == new


@pytest.mark.parametrize("version", [each for each in VERSIONS if each != "R4"])
def test_leaks_are_found_in_each_version_as_in_r4(version: str) -> None:
    there, in_r4 = run_of(version, LEAKS), run_of("R4", LEAKS)

    cannot_apply = {each.check.name for each in there.of(Outcome.SKIPPED)}
    cannot_apply |= {"types-without-patient"} if version == "DSTU2" else set()  # it leaks a Task, and DSTU2 has none
    missed = names(in_r4, Outcome.FAILED) - names(there, Outcome.FAILED) - cannot_apply
    assert missed == set()
    assert len(names(there, Outcome.FAILED)) > 100


def test_a_leak_is_one_although_the_version_has_no_such_parameter() -> None:
    assert "chain-has" in names(run_of("DSTU2", LEAKS), Outcome.FAILED)


@pytest.mark.parametrize("version", VERSIONS)
def test_loaded_records_have_the_form_of_the_version(version: str) -> None:
    client = client_of(version)
    client.server.store.clear()

    with loaded(begin(client, OpenTokens(), writes=True)) as probe:
        content = {kind: records[0].content for kind, records in probe.a.records.items()}

    is_oldest, is_old = version == "DSTU2", version in ("DSTU2", "STU3")
    assert isinstance(content["Observation"]["category"], dict) == is_oldest
    assert ("patient" in content["Condition"]) == ("patient" in content["Encounter"]) == is_oldest
    assert ("MedicationOrder" in content) == is_oldest
    assert isinstance(content["Condition"]["clinicalStatus"], str) == is_old
    assert isinstance(content["Encounter"]["class"], list) == (version == "R5")
    assert list(client.server.current()) == []
