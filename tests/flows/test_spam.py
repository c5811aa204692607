"""A person who keeps trying what they may not do at the bundled FHIR server loses that access alone (SD-05)."""

import pytest

from tests.flows.app import introspect, read, token
from tests.running import Server
from tests.waiting import wait_until

LIMIT = 30


@pytest.mark.requirement("SD-05", "HI-08")
@pytest.mark.parametrize(
    ("path", "status"),
    [pytest.param("Patient/ben", 404, id="another patient"), pytest.param("Condition", 403, id="beyond the scopes")],
)
def test_spamming_ends_the_token_and_no_other_of_the_same_person(server: Server, path: str, status: int) -> None:
    spammer = token(server, "amy", "demo-public", "patient/Patient.rs")
    other = token(server, "amy", "demo-symmetric", "patient/Patient.rs")

    answers = [read(server, path, spammer).status_code for _ in range(LIMIT + 5)]

    assert set(answers) <= {status, 401}
    assert is_ended(server, spammer)
    assert introspect(server, spammer) == {"active": False}
    assert read(server, "Patient/amy", spammer).status_code == 401
    assert read(server, "Patient/amy", other).status_code == 200


def is_ended(server: Server, spammer: str) -> bool:
    """Whether the FHIR server's reports have ended it, which it sends some time after its answers."""
    return wait_until(lambda: not introspect(server, spammer)["active"])


def test_a_few_refusals_harm_nobody(server: Server) -> None:
    curious = token(server, "carol", "demo-public", "patient/Patient.rs", patient="dan")

    answers = [read(server, "Patient/ben", curious).status_code for _ in range(LIMIT - 1)]
    spammer = token(server, "amy", "demo-symmetric", "patient/Patient.rs")
    for _ in range(LIMIT + 5):
        read(server, "Patient/ben", spammer)

    assert set(answers) == {404}
    assert is_ended(server, spammer)  # so what was refused before it has been reported too
    assert introspect(server, curious)["active"] is True
    assert read(server, "Patient/dan", curious).status_code == 200
