"""What a FHIR server says when it refuses: an OperationOutcome, and a challenge where a token would help."""

import pytest

from smart.decisions.refusals import INVALID_TOKEN, NOT_FOUND


@pytest.mark.requirement("HI-01")
def test_an_outcome_is_one_error_of_fhir_with_its_code_and_a_sentence() -> None:
    issue = {"severity": "error", "code": "not-found", "diagnostics": "There is nothing here for you."}

    assert NOT_FOUND.outcome() == {"resourceType": "OperationOutcome", "issue": [issue]}
    assert NOT_FOUND.headers("https://fhir.example.org/r4") == {}


@pytest.mark.requirement("HI-01")
def test_a_token_that_is_not_valid_is_challenged_with_who_issues_one() -> None:
    metadata = "https://fhir.example.org/.well-known/oauth-protected-resource/r4"

    assert INVALID_TOKEN.headers("https://fhir.example.org/r4") == {
        "WWW-Authenticate": (
            f'Bearer realm="https://fhir.example.org/r4", error="invalid_token", resource_metadata="{metadata}"'
        )
    }
