"""The address of a waiting request: which step is due (AZ-20, AZ-21)."""

from django.http import HttpRequest, HttpResponse

from accounts.sessions import signed_in_user
from oauth.authorization.consent import answer_silently
from oauth.authorization.interaction import step
from oauth.authorization.pending_request import Pending
from oauth.authorization.picker.patients import choose_sole_record
from oauth.authorization.prompts import is_login_recent, is_silent, resolve_silently
from oauth.authorization.refusals import send_stored_refusal
from oauth.http.redirects import redirect_within


@step("GET")
def resume(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Leads to the step that is due, or answers the app where no page may be shown."""
    user = signed_in_user(request)
    if is_silent(pending):
        return answer_silently(request, pending, resolve_silently(request, pending, user))
    if user is None or not is_login_recent(request, pending, user):
        return redirect_within(f"{pending.url}/login")
    if not pending.is_meant_for(user):
        return redirect_within(f"{pending.url}/another-user")
    if not pending.is_assigned_to(user):
        pending.assign_user(user)
    if pending.refused:
        return send_stored_refusal(request, pending)
    if pending.request.needs_patient and not pending.row.patient and not choose_sole_record(pending, user):
        return redirect_within(f"{pending.url}/patient")
    return redirect_within(f"{pending.url}/encounter" if pending.needs_encounter_choice else f"{pending.url}/consent")
