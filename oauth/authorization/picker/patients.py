"""Which patient: only those that the user may act for on this FHIR server (AZ-12, E29, E30)."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from oauth.authorization.interaction import require_user, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker.options import (
    OPTIONS_LIMIT,
    Option,
    Options,
    find_option,
    options,
    picker_page,
    search_text,
)
from oauth.authorization.picker.patient_search import search_patients
from oauth.authorization.picker.search_request import SearchFailed
from oauth.authorization.refusals import denied_by_user, refuse_tampered_choice
from oauth.http.redirects import redirect_within
from oauth.models import PatientRecord
from oauth.people import identities
from oauth.people.wording import patient_description
from smart.http.errors import AccessDenied


@step("GET", "POST", signed_in=True)
def choose_patient(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker, left out for a user who can share nothing but their own record."""
    user = require_user(request)
    if pending.launch_patient:
        return redirect_within(pending.url)
    if request.method == "POST":
        return _submit(request, pending, user)
    return redirect_within(pending.url) if choose_sole_record(pending, user) else _page(request, pending, user)


def choose_sole_record(pending: Pending, user: User) -> bool:
    """Whether the user can share nothing but their own record, which is chosen then."""
    own = identities.sole_own_record(user, pending.row.fhir_server)
    if own is not None:
        pending.choose_patient(own.patient)
    return own is not None


def _submit(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    found = identities.shareable_records(user, pending.row.fhir_server)
    if not found.exists() and not identities.finds_patients_by_search(user, pending.row.fhir_server):
        raise AccessDenied("there is no record that this user may share", rule="AZ-11", case="E29")
    if "cancel" in request.POST:
        raise denied_by_user()
    number = request.POST.get("patient", "")
    if not number:
        return _page(request, pending, user, missed=True)
    chosen = find_option(found, number)
    if chosen is None:
        refuse_tampered_choice(request, pending, "a patient that was not offered")
    pending.choose_patient(chosen.patient)
    return redirect_within(pending.url)


def _page(request: HttpRequest, pending: Pending, user: User, *, missed: bool = False) -> HttpResponse:
    every = identities.shareable_records(user, pending.row.fhir_server)
    if identities.finds_patients_by_search(user, pending.row.fhir_server):
        offered = _search_options(request, pending, every)
    else:
        offered = options(
            request, every, identities.matching_patients, lambda patient, only: _option(patient, pending, only=only)
        )
    return picker_page(request, "patient", pending, offered, missed=missed)


def _search_options(request: HttpRequest, pending: Pending, every: QuerySet[PatientRecord]) -> Options:
    """The patients that the FHIR server finds; none is listed before a search."""
    text, failed, found = search_text(request), False, []
    try:
        found = search_patients(pending.row.fhir_server, text) if text else []
    except SearchFailed:
        failed = True
    rows = [_option(patient, pending, only=False) for patient in every.filter(pk__in=found)]
    has_more = len(rows) >= OPTIONS_LIMIT
    return Options(rows, len(rows), text, has_more=has_more, searchable=True, search_failed=failed)


def _option(patient: PatientRecord, pending: Pending, *, only: bool) -> Option:
    selected = only or patient.patient == pending.row.patient
    return Option(patient.pk, patient.name or "Name not recorded", patient_description(patient), patient.died, selected)
