"""Which visit: only those of the chosen patient (AZ-12, LC-03, E30)."""

from django.http import HttpRequest, HttpResponse

from oauth.authorization.interaction import cancelled, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker.options import Row, numbered_among, offer, picker_page, tampered
from oauth.authorization.request_summary import shortened, visit
from oauth.http.redirects import within
from oauth.models import EncounterRecord
from oauth.people import identities


@step("GET", "POST", signed_in=True)
def choose(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker of visits, left out where an EHR has told the visit and where none is recorded."""
    if request.method == "POST" and "cancel" in request.POST:
        raise cancelled()
    if not (pending.picks_encounter or pending.encounter):
        return within(pending.url)
    if request.method == "POST":
        return _chosen(request, pending)
    return _page(request, pending)


def _chosen(request: HttpRequest, pending: Pending) -> HttpResponse:
    number = request.POST.get("encounter", "")
    if not number:
        return _page(request, pending, missed=True)
    chosen = numbered_among(identities.encounters(pending.patient), number)
    if chosen is None:
        raise tampered(request, pending, "a visit that was not offered")
    pending.at(chosen.encounter)
    return within(pending.url)


def _page(request: HttpRequest, pending: Pending, *, missed: bool = False) -> HttpResponse:
    every = identities.encounters(pending.patient)
    offered = offer(request, every, identities.fitting_encounters, lambda found, only: _row(found, pending, only=only))
    whose = shortened(pending.patient.name) if pending.patient else ""
    return picker_page(request, "encounter.html", pending, offered, missed=missed, whose=whose or "this patient")


def _row(found: EncounterRecord, pending: Pending, *, only: bool) -> Row:
    kind, _, rest = visit(found).partition(", ")
    return Row(found.pk, kind, rest, "", only or found.encounter == pending.row.encounter)
