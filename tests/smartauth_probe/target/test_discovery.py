"""Which records the checks compare: one of patient B must belong to nobody else; who finds none reads why."""

from typing import Never

import pytest

from smartauth_probe.development_server import DevelopmentServer, OrderRefused
from smartauth_probe.target.discovery import CouldNotRun, of_one_alone, prepare
from smartauth_probe.target.fixture import Record
from smartauth_probe.tokens.development import DevelopmentTokens
from tests.smartauth_probe.small_server import client_of


def appointment(key: str, *patients: str) -> Record:
    participants = [{"actor": {"reference": f"Patient/{each}"}} for each in patients]
    return Record.of({"resourceType": "Appointment", "id": key, "participant": participants})


def test_a_record_that_mentions_both_patients_is_not_taken_for_one_of_the_other() -> None:
    alone, group = appointment("alone", "ben"), appointment("group", "amy", "ben")

    assert of_one_alone({"Appointment": [group, alone]}, "amy") == {"Appointment": [alone]}


class Unwilling(DevelopmentServer):
    """One that knows neither the app nor the person."""

    def token(self, **_: object) -> Never:
        raise OrderRefused("aud: It takes one of the bases demo-public may reach: http://as/fhir/r4")


@pytest.mark.parametrize("patients", [(), ("amy", "ben")])
def test_who_has_no_token_reads_which_options_name_the_app_and_the_person(patients: tuple[str, ...]) -> None:
    source = DevelopmentTokens(
        Unwilling("http://127.0.0.1:9"), client="demo-public", user="amy", aud="http://127.0.0.1:9000/fhir"
    )

    with pytest.raises(CouldNotRun, match=r"fhir/r4. --client names an app .* --user a person .* demo-public and amy"):
        prepare(client_of(), source, patients)
