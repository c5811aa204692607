"""Which records the checks compare: one of patient B must belong to nobody else."""

from smartauth_probe.target.discovery import of_one_alone
from smartauth_probe.target.fixture import Record


def appointment(key: str, *patients: str) -> Record:
    participants = [{"actor": {"reference": f"Patient/{each}"}} for each in patients]
    return Record.of({"resourceType": "Appointment", "id": key, "participant": participants})


def test_a_record_that_mentions_both_patients_is_not_taken_for_one_of_the_other() -> None:
    alone, group = appointment("alone", "ben"), appointment("group", "amy", "ben")

    assert of_one_alone({"Appointment": [group, alone]}, "amy") == {"Appointment": [alone]}
