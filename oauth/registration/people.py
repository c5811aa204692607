"""The rules of a person, of who they are on a FHIR server, and of the patients and visits that pickers show."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import User
from oauth.models import EncounterRecord, FhirIdentity, PatientRecord
from oauth.registration.problems import Problems, collect, pattern_problem, repeated_problems, text_problems
from smart.fhir import fhir_user
from smart.fhir.id import is_fhir_id
from smart.fhir.versions import resource_types
from smart.text import ascii_excerpt, has_unsafe_characters

SEXES = ("male", "female", "other", "unknown")
MAX_EMAIL_LENGTH = 254
NO_EMAIL = "must be an email address."
NO_FHIR_ID = "must be a FHIR id (letters, digits, - and ., at most 64)."
_USERNAME = re.compile(r"[\w.@+-]{1,150}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_FHIR_USER = re.compile(fhir_user.PATTERN)
_DAY = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")
_YEAR = re.compile(r"[0-9]{4}")


def problems(person: User, *, name_is_taken: bool = False) -> Problems:
    """Why this person may not be registered, by field; {} if they may. Passwords are judged by Django's validators."""
    return collect(
        username=_username_problems(person.username, name_is_taken),
        name=text_problems(person.name),
        given_name=text_problems(person.given_name),
        family_name=text_problems(person.family_name),
        locale=_locale_problems(person.locale),
        email=_email_problems(person),
        email_verified=_verified_problems(person),
    )


def identity_problems(identity: FhirIdentity, acts_for: Collection[str], patients: Collection[str]) -> Problems:
    """Why nobody may be this at that FHIR server, acting for these of the `patients` that are known there."""
    return collect(
        resource=_fhir_user_problems(identity),
        acts_for=[
            *repeated_problems(acts_for),
            *(
                f"{identity.fhir_server.base} has no patient {ascii_excerpt(one)}."
                for one in acts_for
                if one not in patients
            ),
        ],
    )


def patient_problems(record: PatientRecord, *, today: date) -> Problems:
    """Why a picker may not show this patient."""
    return collect(
        patient=[] if is_fhir_id(record.patient) else [NO_FHIR_ID],
        name=text_problems(record.name),
        sex=[] if record.sex in ("", *SEXES) else [f"must be one of {', '.join(SEXES)}."],
        birth_date=_birth_problems(record.birth_date, today),
        record_number=text_problems(record.record_number),
        died=_death_problems(record, today),
    )


def encounter_problems(visit: EncounterRecord) -> Problems:
    """Why a picker may not show this visit. It may lie ahead."""
    return collect(
        encounter=[] if is_fhir_id(visit.encounter) else [NO_FHIR_ID],
        kind=text_problems(visit.kind),
        day=_day_problems(visit.day),
        place=text_problems(visit.place),
    )


def _username_problems(username: str, name_is_taken: bool) -> Iterator[str]:
    yield pattern_problem(username, _USERNAME, "1 to 150 letters, digits and any of . @ + - _")
    if unicodedata.normalize("NFKC", username) != username:
        yield "must be written in letters of the usual width and form."
    if name_is_taken:
        yield "belongs to somebody already, in these letters or in others of case or width."


def _locale_problems(locale: str) -> list[str]:
    """A language tag (RFC 5646), as OpenID Connect tells it."""
    return [pattern_problem(locale, _LOCALE, "a language tag such as en or de-AT")] if locale else []


def _email_problems(person: User) -> list[str]:
    if not person.email:
        return []
    try:
        validate_email(person.email)
    except ValidationError:
        return [NO_EMAIL]
    if has_unsafe_characters(person.email):
        return [NO_EMAIL]
    return [f"is longer than {MAX_EMAIL_LENGTH} characters."] if len(person.email) > MAX_EMAIL_LENGTH else []


def _verified_problems(person: User) -> list[str]:
    return ["there is no email address that could be verified."] if person.email_verified and not person.email else []


def _fhir_user_problems(identity: FhirIdentity) -> list[str]:
    if not _FHIR_USER.fullmatch(identity.resource):
        return ["must be such as Patient/amy or Practitioner/dr-green."]
    kind, version = identity.resource.partition("/")[0], identity.fhir_server.version
    return [] if kind in resource_types(version) else [f"{version.upper()} has no resource type {kind}."]


def _day_problems(day: str) -> list[str]:
    """FHIR's `date`: a year, a month or a day that exists."""
    if not day:
        return []
    try:
        date.fromisoformat(f"{day}-01-01"[:10] if _DAY.fullmatch(day) else "")
    except ValueError:
        return [f"must be a date such as 2017-05-04, not {ascii(day)[:40]}."]
    return []


def _birth_problems(day: str, today: date) -> list[str]:
    if found := _day_problems(day):
        return found
    return ["lies in the future."] if day > today.isoformat()[: len(day)] else []


def _death_problems(record: PatientRecord, today: date) -> Iterator[str]:
    if not record.died:
        return
    if not _YEAR.fullmatch(record.died) or record.died > str(today.year):
        yield "must be a year that has begun."
    elif record.birth_date and record.died < record.birth_date[:4]:
        yield "lies before the birth."
