"""Which visit: only those of the chosen patient (AZ-12, LC-03, E30)."""

from django.http import HttpRequest, HttpResponse

from oauth.authorization.interaction import step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker.options import Option, find_option, options, picker_page
from oauth.authorization.refusals import denied_by_user, refuse_tampered_choice
from oauth.http.redirects import redirect_within
from oauth.models import EncounterRecord
from oauth.people import identities
from oauth.people.wording import display_name, visit_description


@step("GET", "POST", signed_in=True)
def choose_encounter(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The picker of visits, left out where an EHR has told the visit and where none is recorded."""
    if request.method == "POST" and "cancel" in request.POST:
        raise denied_by_user()
    if not (pending.needs_encounter_choice or pending.encounter):
        return redirect_within(pending.url)
    if request.method == "POST":
        return _submit(request, pending)
    return _page(request, pending)


def _submit(request: HttpRequest, pending: Pending) -> HttpResponse:
    number = request.POST.get("encounter", "")
    if not number:
        return _page(request, pending, missed=True)
    chosen = find_option(identities.encounters(pending.patient), number)
    if chosen is None:
        refuse_tampered_choice(request, pending, "a visit that was not offered")
    pending.choose_encounter(chosen.encounter)
    return redirect_within(pending.url)


def _page(request: HttpRequest, pending: Pending, *, missed: bool = False) -> HttpResponse:
    every = identities.encounters(pending.patient)
    offered = options(
        request, every, identities.matching_encounters, lambda found, only: _option(found, pending, only=only)
    )
    whose = display_name(pending.patient.name) if pending.patient else ""
    return picker_page(request, "encounter", pending, offered, missed=missed, whose=whose or "this patient")


def _option(found: EncounterRecord, pending: Pending, *, only: bool) -> Option:
    kind, _, rest = visit_description(found).partition(", ")
    return Option(found.pk, kind, rest, "", only or found.encounter == pending.row.encounter)
