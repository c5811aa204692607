"""Who a user is on a FHIR server, and which patients they may act for (AZ-12, SD-24)."""

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from accounts.models import User
from accounts.rows import only_row
from oauth.models import EncounterRecord, FhirIdentity, FhirServer, PatientRecord
from smart.fhir.fhir_user import is_practitioner

_UNNAMED = ExpressionWrapper(Q(name=""), output_field=BooleanField())


def identity(user: User, fhir_server: FhirServer) -> FhirIdentity | None:
    """Which Patient, Practitioner, RelatedPerson or Person the user is there."""
    return only_row(FhirIdentity.objects.filter(user=user, fhir_server=fhir_server))


def fhir_user(user: User, fhir_server: FhirServer) -> str:
    """Such as Patient/amy; "" for somebody who is nobody there."""
    found = identity(user, fhir_server)
    return found.resource if found else ""


def shareable_records(user: User, fhir_server: FhirServer) -> QuerySet[PatientRecord]:
    """The records of that FHIR server which the user may share, and no others."""
    may = PatientRecord.objects.filter(fhir_server=fhir_server)
    if not finds_patients_by_search(user, fhir_server):
        listed = {"acted_for_by__identity__user": user, "acted_for_by__identity__fhir_server": fhir_server}
        may = may.filter(**listed)
    return may.select_related("fhir_server").order_by(_UNNAMED, "name", "patient")


def finds_patients_by_search(user: User, fhir_server: FhirServer) -> bool:
    """Whether the user may share what the FHIR server finds: it knows whose patients are whose, our list does not."""
    by_search = fhir_server.patient_source == FhirServer.PatientSource.SEARCH
    return by_search and is_practitioner(fhir_user(user, fhir_server))


def encounters(record: PatientRecord | None) -> QuerySet[EncounterRecord]:
    """The visits of that patient, the newest first; none of a patient that our list lacks."""
    return EncounterRecord.objects.filter(record_id=record.pk if record else None).order_by("-day", "encounter")


def sole_own_record(user: User, fhir_server: FhirServer) -> PatientRecord | None:
    """The user's own record if it is the only one that they may share: then there is nothing to choose."""
    own = fhir_user(user, fhir_server)
    if not own.startswith("Patient/"):  # all patients of a server, of which some see every one, are not put in order
        return None
    found = list(shareable_records(user, fhir_server)[:2])
    return found[0] if len(found) == 1 and own == f"Patient/{found[0].patient}" else None


def is_own_record(user: User, record: PatientRecord) -> bool:
    """Whether the record is about the user."""
    own = identity(user, record.fhir_server)
    return own is not None and own.resource == f"Patient/{record.patient}"


def matching_patients(found: QuerySet[PatientRecord], sought: str) -> QuerySet[PatientRecord]:
    """Those with that part of a name or record number, or that birth date."""
    sought = sought.strip()
    if not sought or "\0" in sought:
        return found.none() if sought else found
    return found.filter(Q(name__icontains=sought) | Q(record_number__icontains=sought) | Q(birth_date=sought))


def matching_encounters(found: QuerySet[EncounterRecord], sought: str) -> QuerySet[EncounterRecord]:
    """Those with that part of a kind or place, or of that day."""
    sought = sought.strip()
    if not sought:
        return found
    return found.filter(Q(kind__icontains=sought) | Q(place__icontains=sought) | Q(day__startswith=sought))
