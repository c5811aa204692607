"""Names, dates and visits in the words of a page."""

import pytest

from oauth.models import PatientRecord
from oauth.people.wording import patient_description


def record(**fields: str) -> PatientRecord:
    return PatientRecord(patient="x", **fields)


@pytest.mark.parametrize(
    ("patient", "words"),
    [
        (record(sex="male", birth_date="1981-11-19", record_number="HC-1"), "Man, born 19 November 1981, "),
        (record(sex="female", birth_date="1938-07-30", died="2024"), "Woman, born 30 July 1938"),
        (record(birth_date="1938"), "born 1938"),
        (record(record_number="REY-TEMP-8"), "Sex and birth date not recorded, record REY-TEMP-8"),
        (record(sex="unknown", birth_date="not a date"), "born not a date"),
    ],
)
def test_two_people_of_one_name_can_be_told_apart(patient: PatientRecord, words: str) -> None:
    assert patient_description(patient).startswith(words)


def test_the_age_of_the_dead_is_not_counted_on() -> None:
    living, dead = (patient_description(record(birth_date="1938-07-30", died=died)) for died in ("", "2024"))

    assert "years" in living
    assert "born 30 July 1938" in dead
    assert "years" not in dead
