"""What the app may do, in plain words, each line to untick; then the code (AZ-14, AZ-16 to AZ-20, E31, E40)."""

import json
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from accounts import clock
from accounts.models import User
from audit.trail import record
from oauth import online, people
from oauth.digests import digest, drawn
from oauth.launch import still_seen, told
from oauth.models import Authorization, Client, Code, PatientRecord, numbered
from oauth.pending import Pending
from oauth.redirects import person_page, to_app, within
from oauth.steps import cancelled, event, somebody, step
from oauth.stub import Stub, born, shortened
from smart import lifetimes, refresh
from smart.authorization import success
from smart.clock import SECOND
from smart.error_pages import Unredirectable
from smart.errors import AccessDenied
from smart.scopes import parse
from smart.sentences import CHANGE, SEE, TIME, WHO, Line, Telling, kept, lines
from smart.versions import resource_types

GROUPS = ((SEE, "See", "see"), (CHANGE, "Add or change", "change"), (WHO, "Know who you are", "person"))

UNNAMED = "this patient"


@step("GET", "POST", signed_in=True)
def decide(request: HttpRequest, pending: Pending) -> HttpResponse:
    """The consent page, and its answer."""
    if request.method == "POST" and request.POST.get("answer") == "deny":
        raise cancelled()
    user = somebody(request)
    if pending.row.launch and not still_seen(pending.row.launch):
        raise AccessDenied("there is no record that this user may share")
    if pending.request.needs_patient and not pending.launched_patient and not _may_share(user, pending):
        pending.about("")
        return within(f"{pending.url}/patient")
    choices = _choices(pending, user)
    if request.method == "GET":
        return _page(request, pending, user, choices, [line.number for line in choices])
    ticked = _ticked(request, pending, choices)
    scope = kept(pending.request.scope, choices, ticked, types=resource_types(pending.request.fhir_version))
    if not scope:
        return _page(request, pending, user, choices, ticked, nothing=True)
    return to_app(_allowed(request, pending, user, scope))


def _may_share(user: User, pending: Pending) -> bool:
    return people.records(user, pending.row.fhir_server).filter(patient=pending.row.patient).exists()


def _choices(pending: Pending, user: User) -> tuple[Line, ...]:
    server, client = pending.row.fhir_server, pending.row.client
    seconds = lifetimes.access_token_seconds(
        server.access_token_seconds,
        client.access_token_seconds,
        default=settings.SMARTAUTH_ACCESS_TOKEN_SECONDS,
        bound=settings.SMARTAUTH_ACCESS_TOKEN_MAX_SECONDS,
    )
    about = pending.patient
    subject = "" if about is None or people.is_own(user, about) else about.name or UNNAMED
    return lines(parse(pending.request.scope), Telling(server.name, seconds, subject))


def _ticked(request: HttpRequest, pending: Pending, choices: tuple[Line, ...]) -> set[int]:
    """The lines that came back ticked: numbers of this request's own lines, nothing else."""
    numbers = {str(line.number): line.number for line in choices}
    sent = request.POST.getlist("ask") + request.POST.getlist("ask-time")
    if not numbers.keys() >= set(sent):
        record(event(request, pending, "choice-tampered", at=clock.now(), reason="a line that was not offered"))
        raise Unredirectable("E30", "a line was ticked that was not offered")
    return {numbers[number] for number in sent}


def _allowed(request: HttpRequest, pending: Pending, user: User, scope: str) -> str:
    """Where the app gets its code: answer, authorization, code and event are one transaction."""
    now, code, asked, row = clock.now(), drawn(), pending.request, pending.row
    patient = row.patient if asked.needs_patient or pending.launched_patient else ""
    with transaction.atomic():
        pending.answer(now=now)
        authorization = Authorization.objects.create(
            client=row.client,
            user=user,
            fhir_server=row.fhir_server,
            patient=patient,
            scope=scope,
            asked_scope=asked.requested_scope,
            fhir_user=people.fhir_user(user, row.fhir_server),
            **(online.remembered(request) if refresh.kind(scope) == refresh.ONLINE else {}),
            context=json.dumps(told(row.launch, patient, row.client)),
            patient_vouched=row.launch.patient_vouched if row.launch else 0,
            client_epoch=Client.objects.values_list("epoch", flat=True).get(pk=row.client_id),
            user_epoch=User.objects.get_queryset().values_list("epoch", flat=True).get(pk=user.pk),
            granted_at=now,
        )
        Code.objects.create(
            digest=digest(code),
            authorization=authorization,
            authorization_epoch=authorization.epoch,
            redirect_uri=pending.redirect_uri,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            issued_at=now,
            expires_at=now + lifetimes.code_seconds(settings.SMARTAUTH_CODE_SECONDS) * SECOND,
        )
        record(event(request, pending, "allowed", at=now, patient=patient, authorization=numbered(authorization.pk)))
    return success(pending.redirect_uri, code, pending.state, settings.SMARTAUTH_ISSUER)


def _page(
    request: HttpRequest,
    pending: Pending,
    user: User,
    choices: tuple[Line, ...],
    ticked: Collection[int],
    *,
    nothing: bool = False,
) -> HttpResponse:
    stub = Stub(pending)
    context = {
        **stub.context(),
        **_about(pending, user, pending.patient),
        "groups": _groups(choices, ticked),
        "times": [line for line in choices if line.group == TIME],
        "nothing": nothing,
        "asked": pending.request,
    }
    return person_page(request, "consent.html", context, status=422 if nothing else 200, leads_to=pending.redirect_uri)


def _groups(choices: tuple[Line, ...], ticked: Collection[int]) -> list[dict[str, object]]:
    shown = []
    for group, title, sign in GROUPS:
        found = [(line, line.number in ticked) for line in choices if line.group == group]
        if found:
            shown.append({"title": title, "sign": sign, "changes": group == CHANGE, "lines": found})
    return shown


def _about(pending: Pending, user: User, about: PatientRecord | None) -> dict[str, object]:
    """Whose record it is, in the words of title, lead and stub."""
    if about is None:
        return {"record": "", "own": False, "subject": "", "signed_in_as": str(user)}
    own, name = people.is_own(user, about), shortened(about.name)
    return {
        "record": ", ".join(filter(None, (name or "Name not recorded", born(about)))),
        "own": own,
        "subject": name or UNNAMED,
        "signed_in_as": str(user) if own else f"{user}, acting for {name or UNNAMED}",
    }
