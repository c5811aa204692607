"""Which person may act for which patients."""

from typing import Any

import pytest

from oauth.models import ActsFor, FhirIdentity, PatientRecord
from oauth.people import identities
from tests.fixture_types import MakePerson


@pytest.mark.requirement("AZ-12")
def test_what_somebody_may_share_at_one_base_says_nothing_about_another(
    make_person: MakePerson, fhir_server: Any, other_fhir_server: Any
) -> None:
    person = make_person("amy", "dan")

    assert [record.patient for record in identities.shareable_records(person, fhir_server)] == ["amy", "dan"]
    assert not identities.shareable_records(person, other_fhir_server).exists()


def test_an_identity_at_one_base_does_not_reach_a_record_of_another(
    make_person: MakePerson, fhir_server: Any, other_fhir_server: Any
) -> None:
    person = make_person()
    foreign, _ = PatientRecord.objects.get_or_create(fhir_server=other_fhir_server, patient="zoe")
    ActsFor.objects.create(identity=FhirIdentity.objects.get(user=person), record=foreign)

    assert not identities.shareable_records(person, fhir_server).exists()
    assert not identities.shareable_records(person, other_fhir_server).exists()


@pytest.mark.parametrize(
    ("patients", "is_", "own"),
    [
        (("amy",), "Patient/amy", "amy"),
        (("dan",), "RelatedPerson/carol", None),
        (("amy", "dan"), "Patient/amy", None),
        ((), "Patient/amy", None),
    ],
    ids=["their own", "somebody else's", "two", "none"],
)
def test_only_a_single_own_record_needs_no_choice(
    make_person: MakePerson, fhir_server: Any, patients: tuple[str, ...], is_: str, own: str | None
) -> None:
    found = identities.sole_own_record(make_person(*patients, is_=is_), fhir_server)

    assert (found.patient if found else None) == own


@pytest.mark.usefixtures("committed")
def test_of_somebody_who_is_no_patient_no_list_of_patients_is_asked(
    make_person: MakePerson, fhir_server: Any, django_assert_num_queries: Any
) -> None:
    practitioner = make_person("amy", is_="Practitioner/house")

    with django_assert_num_queries(1):
        assert identities.sole_own_record(practitioner, fhir_server) is None
