"""What a pasted token is answered with: its judgement in words. The token itself stands nowhere in it (SB-04)."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings

from oauth.ending.reasons import reason
from oauth.explain.answer import Answer, Fact, Tag
from oauth.explain.history import token_events
from oauth.explain.judgement import Conclusion, Judgement
from oauth.explain.remedies import remedies
from oauth.models import AccessToken, public_reference
from smart.explanation import shown_text
from smart.scopes.v1_scopes import with_v1
from smart.time_units import SECOND, to_datetime

NOT_ACTIVE = 'The FHIR server: {"active": false}. The app: 401 invalid_token. Neither is told more outside development.'
NOTHING_ENDS = "The real token is as it was: explaining ends nothing."


def token_answer(judgement: Judgement, *, now: int) -> Answer:
    """The page of that judgement."""
    return _ANSWERS[judgement.conclusion](judgement, now)


def _alive_answer(judgement: Judgement, now: int) -> Answer:
    left, number = _time_left(judgement.token, now), public_reference(judgement.token.pk)
    tags: tuple[Tag, ...] = (Tag("good", left),)
    title, lead = f"Alive: {left}", "It keeps every rule of introspection."
    if judgement.status:
        title, tags = f"Alive, and this request is let in: {left}", (*tags, Tag("good", str(judgement.status)))
        lead = "It keeps every rule, and so does the request, as far as that is known without the record."
    return _answer(judgement, title, f"Token {number} is alive", lead, tags)


def _refused_request_answer(judgement: Judgement, now: int) -> Answer:
    tags = Tag("good", _time_left(judgement.token, now)), Tag("bad", f"{judgement.status:d}")
    heading = f"Token {public_reference(judgement.token.pk)} is alive, the request is refused"
    return _answer(judgement, f"Alive, but this request is refused: {judgement.status:d}", heading, "", tags)


def _dead_answer(judgement: Judgement, now: int) -> Answer:
    why = reason(judgement.token.first_reason)
    title = f"Dead: {why.operator[:1].lower()}{why.operator[1:].removesuffix('.')}"
    heading = f"Token {public_reference(judgement.token.pk)} is dead"
    return _answer(judgement, title, heading, "", (Tag("bad", why.tag.capitalize()),), response=NOT_ACTIVE)


def _changed_answer(judgement: Judgement, now: int) -> Answer:
    heading = f"Token {public_reference(judgement.token.pk)} came back changed"
    return _answer(
        judgement,
        "Changed: not as we issued it",
        heading,
        "",
        (Tag("bad", "Changed"),),
        response=f"{NOT_ACTIVE} {NOTHING_ENDS}",
    )


def _foreign_answer(judgement: Judgement, now: int) -> Answer:
    is_foreign = judgement.issuer not in ("", settings.SMARTAUTH_ISSUER)
    lead = f"It says that it comes from {judgement.issuer}" if is_foreign else ""
    title = "Not ours: we issued no such token"
    return _answer(judgement, title, "The token is not ours", lead, (Tag("bad", "Not ours"),), response=NOT_ACTIVE)


def _no_token_answer(judgement: Judgement, now: int) -> Answer:
    title = "Neither an access token nor a reference"
    return _answer(judgement, title, "No access token", "", (Tag("warn", "Neither"),))


_ANSWERS: dict[Conclusion, Callable[[Judgement, int], Answer]] = {
    Conclusion.ALIVE: _alive_answer,
    Conclusion.REQUEST_REFUSED: _refused_request_answer,
    Conclusion.DEAD: _dead_answer,
    Conclusion.CHANGED: _changed_answer,
    Conclusion.NOT_OURS: _foreign_answer,
    Conclusion.NEITHER: _no_token_answer,
}


def _answer(
    judgement: Judgement, title: str, heading: str, lead: str, tags: tuple[Tag, ...], response: str = ""
) -> Answer:
    why = judgement.explanation
    what = f"{why.what[:1].upper()}{why.what[1:].removesuffix('.')}" if why else ""
    return Answer(
        title=title,
        heading=heading,
        lead=". ".join(filter(None, (what, lead.removesuffix(".")))) + ".",
        tags=tags,
        since=why.since if why else 0,
        presented=(why.presented,) if why and why.presented else (),
        expected=(why.expected,) if why and why.expected else (),
        facts_title="Belongs to",
        facts=_facts(judgement.token) if judgement.token else (),
        request_facts=tuple(Fact(*fact) for fact in judgement.facts),
        outcomes=judgement.outcomes,
        response_in_words=response,
        response_head=_response_head(judgement),
        advice=remedies(judgement),
        history=tuple(token_events(judgement.token)) if judgement.token else (),
    )


def _response_head(judgement: Judgement) -> str:
    """The head of the answer to the request."""
    if not judgement.status:
        return ""
    status = HTTPStatus(judgement.status)
    challenge = f"\nWWW-Authenticate: {judgement.challenge}" if judgement.challenge else ""
    return f"HTTP/1.1 {status.value} {status.phrase}{challenge}"


def _time_left(token: AccessToken, now: int) -> str:
    seconds = max(1, (token.expires_at - now) // SECOND)
    minutes = seconds // 60
    if seconds < 120:
        return f"{seconds} second{'' if seconds == 1 else 's'} left"
    return f"{minutes} minutes left" if minutes < 120 else f"{minutes // 60} hours left"


def _facts(token: AccessToken) -> tuple[Fact, ...]:
    row, says = token.authorization, json.loads(token.claims)
    user, number = row.user, public_reference(token.pk)
    base = row.fhir_server.base or str(says.get("aud", ""))
    return (
        Fact("Token", number, table="oauth_accesstoken", key=token.pk),
        Fact("Client", _claim_text(says, "client_id", row.client.client_id), True, "oauth_client", row.client.pk),
        Fact("Person", str(user), table="accounts_user", key=user.pk) if user else Fact("Person", "nobody"),
        Fact("Patient in context", _claim_text(says, "patient", row.patient) or "none", bool(row.patient)),
        Fact("FHIR server (aud)", _claim_text(says, "aud", base), True, "oauth_fhirserver", row.fhir_server.pk),
        Fact("Issued", _moment(token.issued_at)),
        Fact("Ends at the latest", _moment(token.expires_at)),
        Fact("Scope", _claim_text(says, "scope", token.scope) or "none", True),
    )


def _claim_text(claims: Mapping[str, Any], name: str, granted: str) -> str:
    """What was granted; where a test token says otherwise, what it says first."""
    claim = claims.get(name)
    if claim in (granted, [granted], with_v1(granted)) or (claim is None and not granted):
        return granted
    said = shown_text(claim if isinstance(claim, str) else json.dumps(claim)) if name in claims else f"no {name}"
    return f"{said}; granted: {granted or 'none'}"


def _moment(at: int) -> str:
    return f"{to_datetime(at):%-d %b %Y, %H:%M:%S} UTC"
