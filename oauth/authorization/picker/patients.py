"""Whose record: only patients for whom the person may act on this FHIR server (AZ-12, E29, E30)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from oauth.authorization.interaction import denied_by_user, require_user, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker import patient_search
from oauth.authorization.picker.options import (
    OPTIONS_LIMIT,
    Option,
    Options,
    find_option,
    options,
    picker_page,
    record_tampered_choice,
    search_text,
)
from oauth.authorization.request_summary import birth_date, birth_phrase
from oauth.http.redirects import redirect_within
from oauth.models import PatientRecord
from oauth.people import identities
from smart.http.errors import AccessDenied
from smart.time_units import to_datetime

ADULT_YEARS = 18
SEX_WORDS = {"male": ("Boy", "Man"), "female": ("Girl", "Woman"), "other": ("Child", "Person")}


@step("GET", "POST", signed_in=True)
def choose_patient(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker, left out for a person who can share nothing but his own record."""
    user = require_user(request)
    if pending.launch_patient:
        return redirect_within(pending.url)
    if request.method == "POST":
        return _submit(request, pending, user)
    own = identities.sole_own_record(user, pending.row.fhir_server)
    if own is not None:
        pending.about(own.patient)
        return redirect_within(pending.url)
    return _page(request, pending, user)


def _submit(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    found = identities.shareable_records(user, pending.row.fhir_server)
    if not found.exists() and not identities.finds_patients_by_search(user, pending.row.fhir_server):
        raise AccessDenied("there is no record that this user may share")
    if "cancel" in request.POST:
        raise denied_by_user()
    number = request.POST.get("patient", "")
    if not number:
        return _page(request, pending, user, missed=True)
    chosen = find_option(found, number)
    if chosen is None:
        raise record_tampered_choice(request, pending, "a patient that was not offered")
    pending.about(chosen.patient)
    return redirect_within(pending.url)


def _page(request: HttpRequest, pending: Pending, user: User, *, missed: bool = False) -> HttpResponse:
    every = identities.shareable_records(user, pending.row.fhir_server)
    if identities.finds_patients_by_search(user, pending.row.fhir_server):
        offered = _search_options(request, pending, every)
    else:
        offered = options(
            request, every, identities.matching_patients, lambda patient, only: _option(patient, pending, only=only)
        )
    return picker_page(request, "picker.html", pending, offered, missed=missed)


def _search_options(request: HttpRequest, pending: Pending, every: QuerySet[PatientRecord]) -> Options:
    """Whom the FHIR server finds; nobody is listed before somebody is sought."""
    wanted, unanswered, rows = search_text(request), False, []
    try:
        rows = patient_search.search_patients(pending.row.fhir_server, wanted) if wanted else []
    except patient_search.SearchFailed:
        unanswered = True
    found = [_option(patient, pending, only=False) for patient in every.filter(pk__in=rows)]
    return Options(found, len(found), wanted, cut=len(found) >= OPTIONS_LIMIT, searchable=True, unanswered=unanswered)


def _option(patient: PatientRecord, pending: Pending, *, only: bool) -> Option:
    chosen = only or patient.patient == pending.row.patient
    return Option(patient.pk, patient.name or "Name not recorded", patient_description(patient), patient.died, chosen)


def patient_description(patient: PatientRecord) -> str:
    """Sex, birth date, age and record number, so that two people of one name differ."""
    age = _age(patient)
    grown_up = age is None or age >= ADULT_YEARS
    sex = SEX_WORDS.get(patient.sex, ("", ""))[grown_up]
    when = birth_phrase(patient)
    known = [part for part in (sex, when) if part]
    if not known:
        known = ["Sex and birth date not recorded"]
    if age is not None and not patient.died:
        known.append(f"{age} years")
    if patient.record_number:
        known.append(f"record {patient.record_number}")
    return ", ".join(known)


def _age(patient: PatientRecord) -> int | None:
    day, today = birth_date(patient), to_datetime(clock.now()).date()
    return None if day is None else today.year - day.year - ((today.month, today.day) < (day.month, day.day))
