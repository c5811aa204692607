import re

import pytest

from smart.fhir import fhir_user
from smart.fhir.fhir_user import is_practitioner
from smart.fhir.id import is_fhir_id, split_reference


@pytest.mark.parametrize("value", ["amy", "P-1.2", "a" * 64])
def test_letters_digits_hyphens_and_dots_are_an_id(value: str) -> None:
    assert is_fhir_id(value)


@pytest.mark.parametrize("value", ["", "a" * 65, "a_b", "a/b", "a\n", "ä", "Patient/amy", None, 7, ["amy"]])
def test_anything_else_is_no_id(value: object) -> None:
    assert not is_fhir_id(value)


@pytest.mark.parametrize("text", ["Patient/amy", "Patient/amy/_history/2"])
def test_a_relative_reference_names_type_and_id(text: str) -> None:
    assert split_reference(text) == ("Patient", "amy")


@pytest.mark.parametrize(
    "text", ["amy", "patient/amy", "Patient/", "Patient/amy/x", "#Patient/amy", "Patient/amy\n", ""]
)
def test_anything_else_is_no_relative_reference(text: str) -> None:
    assert split_reference(text) is None


@pytest.mark.parametrize(
    ("reference", "practitioner"),
    [
        ("Practitioner/dr", True),
        ("PractitionerRole/r1", True),
        ("Patient/amy", False),
        ("RelatedPerson/carol", False),
        ("Practitioners/dr", False),
        ("", False),
    ],
)
def test_practitioners_see_more_than_one_patient_by_profession(reference: str, practitioner: bool) -> None:
    assert is_practitioner(reference) is practitioner


@pytest.mark.parametrize("reference", ["Patient/amy", "Practitioner/dr", "Person/p", "RelatedPerson/r"])
def test_fhir_user_names_a_resource_that_can_be_a_person(reference: str) -> None:
    assert re.fullmatch(fhir_user.PATTERN, reference)


@pytest.mark.parametrize("reference", ["Group/g", "Patient/", "Patient/a b", "amy", "Patient/amy\n"])
def test_fhir_user_names_nothing_else(reference: str) -> None:
    assert not re.fullmatch(fhir_user.PATTERN, reference)
