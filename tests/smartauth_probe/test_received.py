"""What is read of an answer."""

import pytest

from smartauth_probe.received import OTHER_JSON, Received

pytestmark = pytest.mark.one_engine


@pytest.mark.parametrize(
    ("body", "resource", "is_unread"),
    [
        ("", "", False),
        (" \n", "", False),
        ("[]", "", False),
        ("no JSON", "", True),
        ('<Patient xmlns="http://hl7.org/fhir"/>', "", True),
        ("\x1f\x8b\x08", "", True),
        ("[" * 20_000, "", True),
        ('{"resourceType": 1}', "", True),
        ('{"error": "invalid_token"}', "", True),
        ('{"data": {"name": "Amy"}}', OTHER_JSON, False),
        ('["Amy"]', OTHER_JSON, False),
        ('{"resourceType": "", "name": [{}]}', OTHER_JSON, False),
        ('[{"resourceType": "Patient"}]', "Patient", False),
        (r'{"resourceType": "Patient", "id": "\ud800"}', r"Patient/\ud800", False),
        ('{"resourceType": "OperationOutcome"}', "OperationOutcome", False),
        ('{"resourceType": "OperationOutcome", "contained": [{"resourceType": "Patient"}]}', "Patient", False),
        ('{"resourceType": "OperationOutcome", "x": "' + "x" * 100_000, "OperationOutcome", True),
        ('{"resourceType": "Bundle", "entry": [{"resourceType": "Patient"}]}', "Bundle", False),
        ('{"resourceType": "Bundle", "x": "' + "x" * 100_000, "Bundle", True),
    ],
)
def test_of_the_body_only_the_name_of_the_resource_is_kept(body: str, resource: str, is_unread: bool) -> None:
    assert Received.of(200, "", body.encode()) == Received(200, "", resource, is_unread)


def test_of_a_challenge_the_error_is_read() -> None:
    received = Received.of(401, 'Bearer realm="x", error="invalid_token"' + " " * 1000, b"")

    assert (received.error, len(received.challenge)) == ("invalid_token", 500)
