"""The step of consent: shows the page, takes the answer, or answers by an earlier one (AZ-14, AZ-20, E31, E40)."""

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from oauth.authorization import previous_consent
from oauth.authorization.code import issue_code_redirect
from oauth.authorization.consent_form import ConsentAnswer, NotOffered, parse_answer, question_digest
from oauth.authorization.consent_page import consent_page, offered_lines
from oauth.authorization.interaction import require_user, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import MUST_ACT, is_silent, silent_refusal
from oauth.authorization.refusals import denied_by_user, refuse_tampered_choice
from oauth.authorization.rights_at_consent import current_scope
from oauth.ehr_launch.handles import is_patient_shareable
from oauth.http.redirects import redirect_to_app, redirect_within
from oauth.people import identities
from smart.authorize.error_pages import Unredirectable
from smart.fhir.versions import resource_types
from smart.http.errors import AccessDenied, ConsentRequired
from smart.scopes.scope_sets import grantable_scope, parse_scopes, scope_string, without_unusable_fhir_user
from smart.wording.consent_choice import chosen_scope
from smart.wording.consent_line import ConsentLine

NO_RECORD = "there is no record that this user may share"


@step("GET", "POST", signed_in=True)
def decide(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The consent page, and its answer."""
    if request.method == "POST" and request.POST.get("answer") == "deny":
        raise denied_by_user()
    user = require_user(request)
    if (due := _missing_choice(pending, user)) is not None:
        return due
    requested = current_scope(pending)
    scope = _grantable_scope(pending, user, requested)
    if request.method == "POST":
        return _submit(request, pending, user, scope)
    if before := previous_consent.covered_scope(request, pending, user, requested):
        return _answer_as_before(request, pending, user, before)
    return consent_page(request, pending, user, scope)


def _submit(request: HttpRequest, pending: Pending, user: User, scope: str) -> HttpResponse:
    shown, types = _shown_scope(request, pending, user, scope), resource_types(pending.request.fhir_version)
    lines = offered_lines(pending, user, shown)
    answer = _parse_answer(request, pending, lines)
    left = grantable_scope(chosen_scope(shown, lines, answer.ticked, answer.some, types=types), scope, types=types)
    if not left or answer.kindless:
        return consent_page(request, pending, user, scope, answer if shown == scope else None)
    return redirect_to_app(issue_code_redirect(request, pending, user, left))


def _shown_scope(request: HttpRequest, pending: Pending, user: User, scope: str) -> str:
    """What the page asked: today's scope, or all of the request where the client lost a part of it since then."""
    for shown in (scope, _grantable_scope(pending, user, pending.request.scope)):
        if request.POST.get("question") == question_digest(pending, user, shown):
            return shown
    raise Unredirectable("E40", "the page that was answered asked something else")


def answer_silently(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    """The answer without any page, for prompt=none. Raises AccessDenied or ConsentRequired (E32)."""
    if _missing_choice(pending, user) is not None:
        raise AccessDenied(NO_RECORD, rule="AZ-11", case="E29")
    if before := previous_consent.covered_scope(request, pending, user, current_scope(pending)):
        return _answer_as_before(request, pending, user, before)
    raise ConsentRequired(MUST_ACT, **silent_refusal("nothing of this was allowed before"))


def _answer_as_before(request: HttpRequest, pending: Pending, user: User, scope: str) -> HttpResponse:
    code_url = issue_code_redirect(request, pending, user, scope, reason="allowed before")
    return redirect_to_app(code_url, after_form=not is_silent(pending))


def _missing_choice(pending: Pending, user: User) -> HttpResponse | None:
    """The step to go back to when a choice is missing, or is none any more. Raises AccessDenied (E29)."""
    if pending.row.launch and not is_patient_shareable(pending.row.launch):
        raise AccessDenied(NO_RECORD, rule="AZ-11", case="E29")
    if pending.request.needs_patient and not pending.launch_patient and not _is_shareable(user, pending):
        pending.choose_patient("")
        return redirect_within(f"{pending.url}/patient")
    return redirect_within(pending.url) if pending.needs_encounter_choice else None


def _grantable_scope(pending: Pending, user: User, scope: str) -> str:
    """What this user may allow at all: without an identity at the FHIR server they see nothing there (SCP-20)."""
    if pending.request.openid or identities.fhir_user(user, pending.row.fhir_server):
        return scope
    left = [part for part in without_unusable_fhir_user(parse_scopes(scope), somebody=False) if part.context != "user"]
    if pending.request.has_user_scopes and not any(part.context for part in left):
        raise AccessDenied(NO_RECORD, rule="AZ-11", case="E29")
    return scope_string(left)


def _is_shareable(user: User, pending: Pending) -> bool:
    return identities.shareable_records(user, pending.row.fhir_server).filter(patient=pending.row.patient).exists()


def _parse_answer(request: HttpRequest, pending: Pending, lines: tuple[ConsentLine, ...]) -> ConsentAnswer:
    try:
        return parse_answer(request.POST, lines)
    except NotOffered:
        refuse_tampered_choice(request, pending, "a line that was not offered")
