"""Whose record: only patients for whom the person may act on this FHIR server (AZ-12, E29, E30)."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from audit.trail import record
from oauth import people
from oauth.models import PatientRecord
from oauth.pending import Pending
from oauth.redirects import person_page, within
from oauth.steps import cancelled, event, somebody, step
from oauth.stub import Stub, birth_date, born
from smart.clock import moment
from smart.error_pages import Unredirectable
from smart.errors import AccessDenied

SHOWN = 20
SEARCH_FROM = 8
GROWN_UP = 18
WORDS = {"male": ("Boy", "Man"), "female": ("Girl", "Woman"), "other": ("Child", "Person")}


@dataclass(frozen=True, slots=True)
class Row:
    """One patient to choose. The number is the record's row, checked again when it comes back."""

    number: int
    name: str
    description: str
    died: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """The patients that are shown, out of how many."""

    rows: list[Row]
    total: int
    sought: str
    cut: bool

    @property
    def searchable(self) -> bool:
        return self.total >= SEARCH_FROM


@step("GET", "POST", signed_in=True)
def choose(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker, left out for a person who can share nothing but his own record."""
    user = somebody(request)
    if pending.launched_patient:
        return within(pending.url)
    if request.method == "POST":
        return _chosen(request, pending, user)
    own = people.only_own_record(user, pending.row.fhir_server)
    if own is not None:
        pending.about(own.patient)
        return within(pending.url)
    return _page(request, pending, user)


def _chosen(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    found = people.records(user, pending.row.fhir_server)
    if not found.exists():
        raise AccessDenied("there is no record that this user may share")
    if "cancel" in request.POST:
        raise cancelled()
    number = request.POST.get("patient", "")
    if not number:
        return _page(request, pending, user, missed=True)
    chosen = (
        found.filter(pk=int(number)).first() if number.isascii() and number.isdigit() and len(number) < 19 else None
    )
    if chosen is None:
        record(event(request, pending, "choice-tampered", at=clock.now(), reason="a patient that was not offered"))
        raise Unredirectable("E30", "a patient was chosen that was not offered")
    pending.about(chosen.patient)
    return within(pending.url)


def _page(request: HttpRequest, pending: Pending, user: User, *, missed: bool = False) -> HttpResponse:
    context = {**Stub(pending).context(), "offer": _offer(request, pending, user), "missed": missed}
    status = 422 if missed else 200
    return person_page(request, "picker.html", context, status=status, leads_to=pending.redirect_uri)


def _offer(request: HttpRequest, pending: Pending, user: User) -> Offer:
    every = people.records(user, pending.row.fhir_server)
    total = every.count()
    sought = request.GET.get("q", "").replace("\0", "")[:100] if total >= SEARCH_FROM else ""
    found = list(people.fitting(every, sought)[: SHOWN + 1])
    rows = [_row(patient, chosen=total == 1 or patient.patient == pending.row.patient) for patient in found[:SHOWN]]
    return Offer(rows, total, sought, cut=len(found) > SHOWN)


def _row(patient: PatientRecord, *, chosen: bool) -> Row:
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
    day, today = birth_date(patient), moment(clock.now()).date()
    return None if day is None else today.year - day.year - ((today.month, today.day) < (day.month, day.day))
