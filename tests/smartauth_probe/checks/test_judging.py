"""What tells a hidden record apart from an unknown id, beside status and names of headers."""

import pytest

from smartauth_probe.checks import all_checks
from smartauth_probe.checks.check import Danger, Outcome
from smartauth_probe.checks.judging import must_be_alike, must_count_alike_beside
from smartauth_probe.runner import chosen, make, run
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.discovery import prepare
from tests.smartauth_probe.checks.test_every_check import prepared, probe_of
from tests.smartauth_probe.small_records import observation
from tests.smartauth_probe.small_server import OpenTokens, client_of

pytestmark = pytest.mark.one_engine
(OTHER_PATIENT,) = (check for check in all_checks() if check.name == "other-patient")


def refusal(key: str, said: str) -> Answer:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"code": "not-found", "diagnostics": said}]}
    return Answer(404, resource=outcome, asked=f"Patient/{key}? ")


@pytest.mark.requirement("HI-01")
@pytest.mark.parametrize("fault", ["hidden-in-other-words", "hidden-with-another-value"])
def test_other_words_and_another_value_of_a_header_tell_that_a_record_exists(fault: str) -> None:
    made = make(probe_of(fault), OTHER_PATIENT)

    assert (made.result.outcome, made.result.danger) == (Outcome.FAILED, Danger.EXISTENCE)
    assert made.result.seen == "Patient B is told apart from an unknown id by what is said."


@pytest.mark.parametrize(
    ("hidden", "unknown", "outcome"),
    [
        ("Resource Patient/ben is not known", "Resource Patient/nobody is not known", Outcome.PASSED),
        ("ben? No.", "nobody? No.", Outcome.PASSED),
        ("No. (request 7f-1, 10:31)", "No. (request 81-c, 10:32)", Outcome.PASSED),
        ("Not for you.", "Not there.", Outcome.FAILED),
        ("bending", "nobodying", Outcome.FAILED),
    ],
)
def test_texts_are_compared_without_the_ids_and_what_changes_each_time(
    hidden: str, unknown: str, outcome: Outcome
) -> None:
    result = must_be_alike(refusal("ben", hidden), refusal("nobody", unknown), "Patient B")

    assert result.outcome is outcome


COUNTS = ("search-*-of-other", "count-*", "batch-count")


def failed_where_amy_performed_for_ben(*faults: str) -> set[str]:
    """Of the checks that compare counts, at a server that shows a record to its performer too."""
    client = client_of("performers-are-members", *faults)
    record = observation("ben-by-amy", "ben", "laboratory", performer=[{"reference": "Patient/amy"}])
    of_ben = {"effectiveDateTime": "2026-03-05", "encounter": {"reference": "Encounter/ben-visit"}}
    client.server.put({**record, **of_ben})
    made = run(prepare(client, OpenTokens()), chosen(all_checks(), COUNTS))
    return {each.check.name for each in made.of(Outcome.FAILED)}


@pytest.mark.requirement("PC-04", "SR-13", "SR-22")
def test_a_record_of_both_is_no_count_of_what_another_has() -> None:
    """FHIR's compartment takes a performer too: whether a server does is a matter of policy."""
    assert failed_where_amy_performed_for_ben() == set()


@pytest.mark.requirement("PC-04", "SR-13", "SR-22")
def test_a_count_of_more_than_the_records_of_both_is_found() -> None:
    found = failed_where_amy_performed_for_ben("count-before-filter")

    assert found >= {
        "search-category-of-other",
        "search-status-of-other",
        "count-by-patient-summary",
        "count-is-of-the-patient",
        "batch-count",
    }


@pytest.mark.parametrize(("more", "outcome"), [([], Outcome.FAILED), (["next"], Outcome.PASSED)])
def test_where_what_is_counted_has_a_second_page_nobody_knows_what_is_on_it(more: list[str], outcome: Outcome) -> None:
    record = observation("ben-by-amy", "ben", performer=[{"reference": "Patient/amy"}])
    links = [{"relation": each, "url": "x"} for each in more]
    bundle = {"resourceType": "Bundle", "total": 3, "link": links, "entry": [{"resource": record}]}
    counted, none = Answer(200, resource=bundle), Answer(200, resource={"resourceType": "Bundle", "total": 0})

    result = must_count_alike_beside(prepared(), counted, none, "a count", lambda: counted)

    assert result.outcome is outcome
