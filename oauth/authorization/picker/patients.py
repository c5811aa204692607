"""Whose record: only patients for whom the person may act on this FHIR server (AZ-12, E29, E30)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from oauth.authorization.interaction import cancelled, somebody, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker import patient_search
from oauth.authorization.picker.options import SHOWN, Offer, Row, numbered_among, offer, picker_page, sought, tampered
from oauth.authorization.request_summary import birth_date, born
from oauth.http.redirects import within
from oauth.models import PatientRecord
from oauth.people import identities
from smart.http.errors import AccessDenied
from smart.time_units import to_datetime

GROWN_UP = 18
WORDS = {"male": ("Boy", "Man"), "female": ("Girl", "Woman"), "other": ("Child", "Person")}


@step("GET", "POST", signed_in=True)
def choose(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker, left out for a person who can share nothing but his own record."""
    user = somebody(request)
    if pending.launched_patient:
        return within(pending.url)
    if request.method == "POST":
        return _chosen(request, pending, user)
    own = identities.only_own_record(user, pending.row.fhir_server)
    if own is not None:
        pending.about(own.patient)
        return within(pending.url)
    return _page(request, pending, user)


def _chosen(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    found = identities.records(user, pending.row.fhir_server)
    if not found.exists() and not identities.searches(user, pending.row.fhir_server):
        raise AccessDenied("there is no record that this user may share")
    if "cancel" in request.POST:
        raise cancelled()
    number = request.POST.get("patient", "")
    if not number:
        return _page(request, pending, user, missed=True)
    chosen = numbered_among(found, number)
    if chosen is None:
        raise tampered(request, pending, "a patient that was not offered")
    pending.about(chosen.patient)
    return within(pending.url)


def _page(request: HttpRequest, pending: Pending, user: User, *, missed: bool = False) -> HttpResponse:
    every = identities.records(user, pending.row.fhir_server)
    if identities.searches(user, pending.row.fhir_server):
        offered = _searched(request, pending, every)
    else:
        offered = offer(request, every, identities.fitting, lambda patient, only: _row(patient, pending, only=only))
    return picker_page(request, "picker.html", pending, offered, missed=missed)


def _searched(request: HttpRequest, pending: Pending, every: QuerySet[PatientRecord]) -> Offer:
    """Whom the FHIR server finds; nobody is listed before somebody is sought."""
    wanted, unanswered, rows = sought(request), False, []
    try:
        rows = patient_search.found(pending.row.fhir_server, wanted) if wanted else []
    except patient_search.Unanswered:
        unanswered = True
    found = [_row(patient, pending, only=False) for patient in every.filter(pk__in=rows)]
    return Offer(found, len(found), wanted, cut=len(found) >= SHOWN, searchable=True, unanswered=unanswered)


def _row(patient: PatientRecord, pending: Pending, *, only: bool) -> Row:
    chosen = only or patient.patient == pending.row.patient
    return Row(patient.pk, patient.name or "Name not recorded", described(patient), patient.died, chosen)


def described(patient: PatientRecord) -> str:
    """Sex, birth date, age and record number, so that two people of one name differ."""
    age = _age(patient)
    grown_up = age is None or age >= GROWN_UP
    sex = WORDS.get(patient.sex, ("", ""))[grown_up]
    when = born(patient)
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
