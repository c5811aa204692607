"""The consent page: the question in plain words, each line to untick (AZ-14, AZ-15)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from oauth.authorization import previous_consent
from oauth.authorization.consent_form import ConsentAnswer, initial_answer, line_groups, question_digest, time_options
from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import RequestSummary
from oauth.http.private_page import private_page
from oauth.models import Client, PatientRecord
from oauth.people import identities
from oauth.people.wording import birth_phrase, display_name, long_date, visit_description
from smart.scopes.scope_sets import parse_scopes
from smart.time_units import SECOND, to_datetime
from smart.tokens import lifetimes
from smart.wording.consent_line import TIME, ConsentContext, ConsentLine
from smart.wording.consent_lines import consent_lines

UNNAMED = "this patient"


def consent_page(
    request: HttpRequest, pending: Pending, user: User, scope: str, answer: ConsentAnswer | None = None
) -> HttpResponse:
    """The question; again, with what is wrong on top, when the answer said nothing."""
    choices = offered_lines(pending, user, scope)
    shown = answer or initial_answer(choices)
    context = {
        **RequestSummary(pending).context(),
        **_record_words(pending, user, pending.patient),
        "groups": line_groups(choices, shown, previous_consent.granted_scope(request, pending, user)),
        "times": time_options(choices, shown),
        "has_ticks": any(not line.fixed for line in choices if line.group != TIME),
        "kindless": bool(answer and answer.kindless),
        "nothing": bool(answer and not answer.kindless),
        "authorization_request": pending.request,
        "offered": scope,
        "question": question_digest(pending, user, scope),
    }
    return private_page(request, "consent.html", context, status=422 if answer else 200, leads_to=pending.redirect_uri)


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


def offered_lines(pending: Pending, user: User, scope: str) -> tuple[ConsentLine, ...]:
    """What the page asks, line by line."""
    server, client = pending.row.fhir_server, pending.row.client
    seconds = lifetimes.access_token_seconds(
        server.access_token_seconds,
        client.access_token_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )
    about = pending.patient
    subject = "" if about is None or identities.is_own_record(user, about) else display_name(about.name) or UNNAMED
    days = previous_consent.remembered_days(client) if pending.request.openid else 0
    version = pending.request.fhir_version
    context = ConsentContext(
        server.name, seconds, subject, until=_latest_end(client), version=version, remembered_days=days
    )
    return consent_lines(parse_scopes(scope), context)


def _latest_end(client: Client) -> str:
    """The day on which even offline access ends, where there is one (RF-08)."""
    seconds = client.refresh_absolute_seconds
    day = long_date(to_datetime(clock.now() + seconds * SECOND).date())
    return f"At the latest it ends on {day}." if seconds else ""
