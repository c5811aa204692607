"""EHR launch: a single-use handle with its context is made, and consumed by the app it was made for (EL-02, AZ-10)."""

import json
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import clock
from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.ehr_launch import style
from oauth.models import Client, EncounterRecord, FhirServer, Launch, public_reference, sql
from oauth.people import identities
from smart.authorize import launch
from smart.authorize.launch import Context, InvalidContext
from smart.authorize.launch_url import launch_url, launch_url_problem
from smart.digests import random_token, sha256_hex
from smart.fhir.fhir_user import is_practitioner
from smart.http.errors import InvalidRequest
from smart.time_units import CLOCK_SKEW, SECOND

# Only one of many requests with the same handle can win this.
_CONSUME = """
UPDATE oauth_launch SET consumed_at = %s
WHERE digest = %s AND client_id = %s AND fhir_server_id = %s AND consumed_at = 0 AND expires_at > %s
    AND created_at <= %s
RETURNING id
"""
UNUSABLE = "launch is unknown, used, expired or for another app"
ANOTHER_BASE = "launch belongs to another FHIR base"


@dataclass(frozen=True, slots=True)
class PreparedLaunch:
    """A launch that waits for its app. The handle is known here and now, later only its digest."""

    url: str
    handle: str
    seconds: int
    row: Launch


def launchable_clients() -> QuerySet[Client]:
    """The clients that an EHR can open: enabled, with a launch URL, and for people (EL-04)."""
    found: QuerySet[Client] = Client.objects.filter(enabled=1, approved=1, grants__contains="authorization_code")
    return found.exclude(launch_urls="").order_by("name", "client_id")


def safe_launch_urls(client: Client) -> list[str]:
    """Its launch URLs that may be opened: nothing but a web address becomes a link."""
    return [url for url in client.launch_urls.split() if launch_url_problem(url, dev=settings.SMARTAUTH_DEV) is None]


def default_context() -> Context:
    """What an app is told where the EHR does not say it: discovery promises both (LC-04, LC-05, DS-14)."""
    return {"need_patient_banner": settings.SMARTAUTH_NEED_PATIENT_BANNER, "smart_style_url": style.url()}


def launch_event(client: Client, user: User, fhir_server: FhirServer, context: Context, **by: str) -> Event:
    """The event of a launch that is being prepared; `by` says from which address, who, and where."""
    return Event(
        kind=EventKind.LAUNCH_PREPARED,
        at=clock.now(),
        client=client.client_id,
        person=user.subject,
        fhir_server=fhir_server.base,
        patient=context.get("patient", ""),
        **by,
    )


def prepare(
    client: Client, url: str, fhir_server: FhirServer, user: User, context: Context, *, vouching: bool, made_by: Event
) -> PreparedLaunch:
    """A new handle for client, FHIR base, user and context, to be opened at that one of the client's launch URLs.

    Raises InvalidContext for what the user may not see.
    """
    now, handle = clock.now(), random_token()
    is_vouched = _needs_vouching(fhir_server, user, context, vouching=vouching)
    with transaction.atomic():
        row = Launch.objects.create(
            digest=sha256_hex(handle),
            client=client,
            fhir_server=fhir_server,
            user=user,
            context=json.dumps(context),
            patient_vouched=int(is_vouched),
            created_at=now,
            expires_at=now + settings.SMARTAUTH_LAUNCH_SECONDS * SECOND,
        )
        record_events(made_by._replace(reference=public_reference(row.pk)))
    return PreparedLaunch(launch_url(url, fhir_server.base, handle), handle, settings.SMARTAUTH_LAUNCH_SECONDS, row)


def consume(handle: str, client: Client, fhir_server: FhirServer, *, now: int) -> Launch:
    """The launch of that handle, which nobody can use again. Raises InvalidRequest and changes nothing (E25, E26)."""
    consumed = sql.value(_CONSUME, [now, sha256_hex(handle), client.pk, fhir_server.pk, now, now + CLOCK_SKEW])
    if consumed is not None:
        return Launch.objects.get(pk=consumed)
    theirs = Launch.objects.filter(digest=sha256_hex(handle), client=client, consumed_at=0)
    waits = theirs.filter(expires_at__gt=now, created_at__lte=now + CLOCK_SKEW).exists()
    raise InvalidRequest(ANOTHER_BASE if waits else UNUSABLE, rule="AZ-10", case="E26" if waits else "E25")


def is_patient_shareable(row: Launch) -> bool:
    """Whether the person of a launch may share its patient, by our list today or because the EHR vouched."""
    patient = stored_context(row).get("patient", "")
    return not patient or bool(row.patient_vouched) or _is_listed(row.user, row.fhir_server, patient)


def stored_context(row: Launch) -> Context:
    found: Context = json.loads(row.context)
    return found


def launch_context(row: Launch | None, patient: str, client: Client) -> Context:
    """What token answer, token and introspection say of the context, in the form that the app reads (TR-10)."""
    context = stored_context(row) if row else {}
    found = {**context, "patient": patient} if patient else context
    return launch.smart_2_0_context(found) if client.fhir_context_as_text else found


def _needs_vouching(fhir_server: FhirServer, user: User, context: Context, *, vouching: bool) -> bool:
    """Whether the EHR alone says that the user sees the patient. Raises InvalidContext for what they may not see."""
    patient = context.get("patient", "")
    is_listed = not patient or _is_listed(user, fhir_server, patient)
    if not is_listed and not (vouching and _can_be_vouched(user, fhir_server, patient)):
        raise InvalidContext("patient", "is nobody whose record this user may see")
    if "encounter" in context and not _is_visit_of(fhir_server, patient, context["encounter"], vouching=vouching):
        raise InvalidContext("encounter", "is no visit of this patient")
    return not is_listed


def _is_listed(user: User, fhir_server: FhirServer, patient: str) -> bool:
    return identities.shareable_records(user, fhir_server).filter(patient=patient).exists()


def _is_visit_of(fhir_server: FhirServer, patient: str, encounter: str, *, vouching: bool) -> bool:
    """Whether the visit is the patient's (LC-03); of one that our list lacks the EHR knows more."""
    found = EncounterRecord.objects.filter(record__fhir_server=fhir_server, encounter=encounter)
    owners = set(found.values_list("record__patient", flat=True))
    return patient in owners if owners else vouching


def _can_be_vouched(user: User, fhir_server: FhirServer, patient: str) -> bool:
    """The EHR knows the patients of its practitioners; nobody else gets a record that our list lacks, but their own."""
    fhir_user = identities.fhir_user(user, fhir_server)
    return fhir_user == f"Patient/{patient}" or is_practitioner(fhir_user)
