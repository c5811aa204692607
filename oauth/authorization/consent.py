"""What the app may do, in plain words, each line to untick (AZ-14, AZ-15, AZ-20, E31, E40)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from oauth.authorization import previous_consent
from oauth.authorization.code import issue_code
from oauth.authorization.consent_form import (
    Choice,
    NotOffered,
    initial_choice,
    line_groups,
    parse_choice,
    question_digest,
    time_options,
)
from oauth.authorization.interaction import require_user, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.prompts import MUST_ACT
from oauth.authorization.refusals import denied_by_user, refuse_tampered_choice
from oauth.authorization.request_summary import RequestSummary
from oauth.ehr_launch.handles import is_patient_shareable
from oauth.http.redirects import private_page, redirect_to_app, redirect_within
from oauth.models import Client, PatientRecord
from oauth.people import identities
from oauth.people.wording import birth_phrase, display_name, long_date, visit_description
from smart.authorize.error_pages import Unredirectable
from smart.fhir.versions import resource_types
from smart.http.errors import AccessDenied, ConsentRequired
from smart.scopes.scope_sets import parse_scopes, scope_string, without_unusable_fhir_user
from smart.time_units import SECOND, to_datetime
from smart.tokens import lifetimes, refresh
from smart.wording.consent_lines import ConsentContext, ConsentLine, chosen_scope, consent_lines

UNNAMED = "this patient"
NO_RECORD = "there is no record that this user may share"


@step("GET", "POST", signed_in=True)
def decide(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The consent page, and its answer."""
    if request.method == "POST" and request.POST.get("answer") == "deny":
        raise denied_by_user()
    user = require_user(request)
    if (due := _missing_choice(pending, user)) is not None:
        return due
    scope = _grantable_scope(pending, user)
    if request.method == "GET":
        before = previous_consent.covered_scope(request, pending, user)
        return _answer_as_before(request, pending, user, before) if before else _page(request, pending, user, scope)
    if request.POST.get("question") != question_digest(pending, user, scope):
        raise Unredirectable("E40", "the page that was answered asked something else")
    choices = _consent_lines(pending, user, scope)
    chosen = _parse_choice(request, pending, choices)
    left = chosen_scope(scope, choices, chosen.ticked, chosen.some, types=resource_types(pending.request.fhir_version))
    if not left or chosen.kindless:
        return _page(request, pending, user, scope, chosen)
    return redirect_to_app(issue_code(request, pending, user, left))


def answer_silently(request: HttpRequest, pending: Pending, user: User) -> HttpResponse:
    """The answer without any page, for prompt=none. Raises AccessDenied or ConsentRequired (E32)."""
    if _missing_choice(pending, user) is not None:
        raise AccessDenied(NO_RECORD)
    before = previous_consent.covered_scope(request, pending, user)
    if not before:
        raise ConsentRequired(MUST_ACT)
    return _answer_as_before(request, pending, user, before)


def _answer_as_before(request: HttpRequest, pending: Pending, user: User, scope: str) -> HttpResponse:
    return redirect_to_app(issue_code(request, pending, user, scope, reason="allowed before"))


def _missing_choice(pending: Pending, user: User) -> HttpResponse | None:
    """The step to go back to when a choice is missing, or is none any more. Raises AccessDenied (E29)."""
    if pending.row.launch and not is_patient_shareable(pending.row.launch):
        raise AccessDenied(NO_RECORD)
    if pending.request.needs_patient and not pending.launch_patient and not _is_shareable(user, pending):
        pending.choose_patient("")
        return redirect_within(f"{pending.url}/patient")
    return redirect_within(pending.url) if pending.needs_encounter_choice else None


def _grantable_scope(pending: Pending, user: User) -> str:
    """What this person may do at all: who is nobody at the FHIR server sees nothing there (SCP-20, SCP-16)."""
    scope = pending.request.scope
    if pending.request.openid or identities.fhir_user(user, pending.row.fhir_server):
        return scope
    left = [part for part in without_unusable_fhir_user(parse_scopes(scope), somebody=False) if part.context != "user"]
    if pending.request.has_user_scopes and not any(part.context for part in left):
        raise AccessDenied(NO_RECORD)
    return scope_string(left)


def _is_shareable(user: User, pending: Pending) -> bool:
    return identities.shareable_records(user, pending.row.fhir_server).filter(patient=pending.row.patient).exists()


def _consent_lines(pending: Pending, user: User, scope: str) -> tuple[ConsentLine, ...]:
    server, client = pending.row.fhir_server, pending.row.client
    seconds = lifetimes.access_token_seconds(
        server.access_token_seconds,
        client.access_token_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )
    about = pending.patient
    subject = "" if about is None or identities.is_own_record(user, about) else display_name(about.name) or UNNAMED
    days = previous_consent.remembered_days() if pending.request.openid else 0
    version = pending.request.fhir_version
    telling = ConsentContext(
        server.name, seconds, subject, until=_latest_end(client), version=version, remembered_days=days
    )
    return consent_lines(parse_scopes(scope), telling)


def _latest_end(client: Client) -> str:
    """The day on which even offline access ends, where there is one (RF-08)."""
    default = settings.SMARTAUTH_REFRESH_TOKEN_SECONDS
    seconds = refresh.absolute_seconds(client.refresh_token_seconds, default, keeps_secrets=client.keeps_secrets)
    day = long_date(to_datetime(clock.now() + seconds * SECOND).date())
    return f"At the latest it ends on {day}." if seconds else ""


def _parse_choice(request: HttpRequest, pending: Pending, choices: tuple[ConsentLine, ...]) -> Choice:
    try:
        return parse_choice(request.POST, choices)
    except NotOffered:
        refuse_tampered_choice(request, pending, "a line that was not offered")


def _page(request: HttpRequest, pending: Pending, user: User, scope: str, chosen: Choice | None = None) -> HttpResponse:
    """The question; again, with what is wrong on top, when the answer said nothing."""
    choices = _consent_lines(pending, user, scope)
    shown = chosen or initial_choice(choices)
    context = {
        **RequestSummary(pending).context(),
        **_record_words(pending, user, pending.patient),
        "groups": line_groups(choices, shown, previous_consent.granted_scope(request, pending, user)),
        "times": time_options(choices, shown),
        "kindless": bool(chosen and chosen.kindless),
        "nothing": bool(chosen and not chosen.kindless),
        "asked": pending.request,
        "offered": scope,
        "question": question_digest(pending, user, scope),
    }
    return private_page(request, "consent.html", context, status=422 if chosen else 200, leads_to=pending.redirect_uri)


def _record_words(pending: Pending, user: User, about: PatientRecord | None) -> dict[str, object]:
    """Whose record it is, in the words of title, lead and summary."""
    if about is None:
        return {"record": "", "own": False, "subject": "", "signed_in_as": str(user), "visit": ""}
    own, name = identities.is_own_record(user, about), display_name(about.name)
    return {
        "record": ", ".join(filter(None, (name or "Name not recorded", birth_phrase(about)))),
        "own": own,
        "visit": visit_description(pending.encounter) if pending.encounter else "",
        "subject": name or UNNAMED,
        "signed_in_as": str(user) if own else f"{user}, acting for {name or UNNAMED}",
    }
