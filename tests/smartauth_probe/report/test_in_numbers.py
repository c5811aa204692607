"""What a development smartauth is told of a run: numbers, names of checks, statuses; no token, nothing of a patient."""

import json
from dataclasses import replace

import pytest

from smartauth_probe.report.accepted import Accepted
from smartauth_probe.report.in_numbers import in_numbers
from tests.smartauth_probe.report.test_forms import FAULTS, report_of

pytestmark = pytest.mark.one_engine


def test_a_run_in_numbers_names_what_failed_and_was_not_accepted() -> None:
    report = report_of(*FAULTS)

    found = in_numbers(report, "http://127.0.0.1:9000/fhir")

    assert (found["server"], found["chosen"], found["stopped"]) == (
        "http://127.0.0.1:9000/fhir",
        report.run.chosen,
        False,
    )
    assert "no-token" in found["failed"]
    assert "other-patient" not in found["failed"]  # accepted
    assert found["counts"]["failed"] == len(found["failed"])
    assert sum(found["counts"].values()) == len(report.run.results)
    assert (found["answers"]["no-token"], found["answers"].get("other-patient")) == (200, None)


def test_a_kind_whose_failure_is_accepted_neither_failed_nor_passed() -> None:
    report = replace(report_of("open"), accepted={"no-token": Accepted("Known", "2027-01-31")})

    found = in_numbers(report, "http://127.0.0.1:9000/fhir")

    assert "no-token" not in {*found["failed"], *found["answers"]}


def test_it_holds_nothing_of_a_token_or_a_patient() -> None:
    text = json.dumps(in_numbers(report_of(*FAULTS, full=True), "http://127.0.0.1:9000/fhir"))

    assert not any(word in text for word in ("amy", "ben", "Bearer", "Whitlock", "mrn-"))
    assert len(text) < 8000
