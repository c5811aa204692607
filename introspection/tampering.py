"""A token that was not found: noise, a suspicion, or a changed copy of one of ours (SD-07)."""

from dataclasses import dataclass
from typing import Annotated

from django.db import transaction

from audit.event_kinds import EventKind
from audit.trail import Event, record_events
from oauth.ending import reported_refusals
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import END_BY_ID, end_token
from oauth.http.machine_request import MachineRequest
from oauth.http.writer_pool import writer_pool
from oauth.models import public_reference, sql
from oauth.tokens.flag import flag
from oauth.tokens.tamper_evidence import tamper_evidence
from smart.explanation import Explanation
from smart.tokens import tampering
from smart.tokens.liveness import ISSUED


@dataclass(frozen=True, slots=True)
class Original:
    """The token whose jti a changed one carries."""

    pk: Annotated[int, "t.id"]
    authorization_pk: Annotated[int, "t.authorization_id"]
    signed_digest: Annotated[str, "t.signed_digest"]
    signature_digest: Annotated[str, "t.signature_digest"]
    client_id: Annotated[str, "c.client_id"]
    client_pk: Annotated[int, "c.id"]
    user_pk: Annotated[int | None, "a.user_id"]
    fhir_server_pk: Annotated[int, "a.fhir_server_id"]


_ORIGINAL = sql.select(
    Original,
    """
FROM oauth_accesstoken t
JOIN oauth_authorization a ON a.id = t.authorization_id
JOIN oauth_client c ON c.id = a.client_id
WHERE t.jti = %s
""",
)
UNKNOWN = Explanation(ISSUED.rule, ISSUED.broken, case="E107")
CHANGED = "it came back changed, so the real one has ended"
SUSPECTED = "it names the identifier of one of ours, and nothing shows that its sender held that"
EVENT_EVERY = 60  # seconds: a sender of a thousand copies fills no trail


async def end_if_tampered(token: str, request: MachineRequest) -> Explanation:
    """Ends the original if the sender shows to have held it, or our key; else records a suspicion and ends nothing.

    Why the token opens nothing, in any case.
    """
    parts = tampering.parts(token)
    if jti := tampering.jti(parts):
        return await writer_pool.run(lambda: _end_or_suspect(parts, jti, request))
    return UNKNOWN


def _end_or_suspect(parts: tuple[str, ...], jti: str, request: MachineRequest) -> Explanation:
    original = sql.one(_ORIGINAL, [jti])
    if original is None:
        return UNKNOWN
    digests = {"signed_digest": original.signed_digest, "signature_digest": original.signature_digest}
    evidence = tamper_evidence(parts, **digests, now=request.now)
    with transaction.atomic():
        kind = EventKind.TAMPERED if evidence else EventKind.TAMPER_SUSPECTED
        if _is_first_lately(kind, original, request.now):
            record_events(_event(kind, original, request, evidence))
        if evidence:
            _end_original(original, request)
    return Explanation("SD-07", f"{CHANGED}: {evidence}" if evidence else SUSPECTED, case="E107")


def _is_first_lately(kind: EventKind, original: Original, now: int) -> bool:
    """Whether there was none of this kind about this token lately."""
    whose = (original.client_pk, original.user_pk, original.fhir_server_pk)
    return reported_refusals.add_to_count(f"{kind}|{original.pk}", whose, 1, now=now, seconds=EVENT_EVERY) == 1


def _end_original(original: Original, request: MachineRequest) -> None:
    actor = Actor(now=request.now, address=request.address, client_id=request.credentials.client_id)
    end_token(END_BY_ID, [original.pk], actor, EndedFor.TAMPERED)
    flag(original.authorization_pk, now=request.now)


def _event(kind: EventKind, original: Original, request: MachineRequest, evidence: str) -> Event:
    return Event(
        kind=kind,
        at=request.now,
        client=original.client_id,
        token=public_reference(original.pk),
        authorization=public_reference(original.authorization_pk),
        address=request.address,
        reason=evidence or "a known identifier and nothing else",
        reference=request.credentials.client_id,
    )
