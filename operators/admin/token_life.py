"""The life of one token: what it belongs to, what happened, and whether it would be let in now. Never the token."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import clock
from audit import event_kinds
from audit.models import OutboxEvent, SecurityEvent
from oauth.models import AccessToken, liveness, public_reference
from operators.admin import timeline
from smart.time_units import SECOND, to_datetime

HISTORY = 50
FAMILY = 8
STATES = {
    "": ("Live", "good", "It is alive."),
    "revoked": ("Revoked", "bad", "It was revoked."),
    "ended": ("Ended", "bad", "Its authorization has ended."),
    "client-disabled": ("Ended", "bad", "The client is disabled."),
    "client-ended": ("Ended", "bad", "All access of the client was ended."),
    "person-stopped": ("Ended", "bad", "The person is locked out."),
    "person-ended": ("Ended", "bad", "All access of the person was ended."),
    "superseded": ("Superseded", "", "A newer token took its place."),
    "expired": ("Expired", "", "Its time ran out."),
}
REVOKED_FOR = {
    "tampered": "It came back changed, so we ended the real one.",
    "operator": "An operator ended it.",
    "revoked": "The app or the FHIR server gave it back.",
}
ENDED_FOR = {
    "address-changed": "It was used from another address, so the policy ended the authorization.",
    "password-changed": "The person's password was changed.",
    "signed-out": "The person signed out.",
    "reused": "A refresh token of it was used twice, so the whole family ended.",
    "replayed": "Its code was used twice, so everything bought with it ended.",
    "operator": "An operator ended the authorization.",
    "person": "The person took the access back.",
    "revoked": "The app gave its authorization back.",
    "invalidated": "The FHIR server ended everything of this kind.",
    "refusals": "The FHIR server refused too many requests, so the access ended by itself.",
}
RULES = (
    ("issued", "We issued it, and it is whole"),
    ("revoked", "Not revoked"),
    ("ended", "Its authorization stands"),
    ("client-disabled", "Its client is enabled"),
    ("client-ended", "The client's access was not ended"),
    ("person-stopped", "The person is not locked out"),
    ("person-ended", "The person's access was not ended"),
    ("superseded", "No newer token has taken its place"),
    ("expired", "Not expired"),
)
BROKEN = dict(zip((name for name, _ in RULES), (
    "", "Revoked", "The authorization has ended", "The client is disabled", "All access of the client was ended",
    "The person is locked out", "All access of the person was ended", "A newer token has taken its place", "Expired",
), strict=True))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule: passed, refused, or not reached because an earlier one refused."""

    outcome: str
    text: str


def verdicts(reason: str) -> list[Verdict]:
    """The rules of introspection in their order, up to the one that refuses."""
    found: list[Verdict] = []
    for name, text in RULES:
        if found and found[-1].outcome != "passed":
            found.append(Verdict("not reached", text))
        elif name == reason:
            found.append(Verdict("refused", BROKEN[name]))
        else:
            found.append(Verdict("passed", text))
    return found


def why(token: AccessToken, reason: str, now: int) -> str:
    """Why it ended, in one sentence; while it lives, for how long."""
    if not reason:
        return f"{STATES[''][2]} It expires in {max(1, (token.expires_at - now) // SECOND)} seconds."
    if reason == "revoked":
        return REVOKED_FOR.get(token.revoked_for, STATES[reason][2])
    if reason == "ended":
        return ENDED_FOR.get(token.authorization.ended_for, STATES[reason][2])
    return STATES[reason][2]


def ended_at(token: AccessToken, reason: str, successor: int = 0) -> int:
    """When it died, as far as the rows know; 0 while it lives or where only the trail knows."""
    known = {"revoked": token.revoked_at, "ended": token.authorization.ended_at, "expired": token.expires_at}
    return min(known.get(reason, successor) or 0, token.expires_at)


def page(request: HttpRequest, token: AccessToken) -> HttpResponse:
    now = clock.now()
    reason = liveness.dead_because(token, now=now)
    state, tone, _ = STATES.get(reason, (reason.capitalize(), "bad", ""))
    family = _family(token, now)
    context = {
        "token": token,
        "number": public_reference(token.pk),
        "state": state,
        "tone": tone,
        "why": why(token, reason, now),
        "ended": _moment(next((one["ended"] for one in family if one["row"].pk == token.pk), 0)),
        "family": [
            {**one, "ended": _moment(one["ended"]), "issued": to_datetime(one["row"].issued_at)} for one in family
        ],
        "bars": timeline.chart(
            [(str(one["row"]), one["row"].issued_at, one["ended"], one["reason"]) for one in family], now
        ),
        "used": _moment(token.authorization.used_at),
        "history": history(public_reference(token.pk)),
        "verdicts": verdicts(reason),
        "forms": _forms(token),
        "events_url": f"{reverse('admin:audit_securityevent_changelist')}?token={public_reference(token.pk)}",
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    response = render(request, "admin/oauth/accesstoken/life.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _family(token: AccessToken, now: int) -> list[dict[str, Any]]:
    """The tokens of its authorization, oldest first: the newest FAMILY, and this one in any case."""
    rows = AccessToken.objects.filter(authorization=token.authorization_id).select_related(*liveness.TOKEN_FACTS)
    found = {row.pk: row for row in [*rows.order_by("-pk")[:FAMILY], token]}
    ordered = [found[pk] for pk in sorted(found)]
    later = [row.issued_at for row in ordered[1:]] + [0]
    reasons = [liveness.dead_because(row, now=now) for row in ordered]
    return [
        {"row": row, "reason": reason, "why": STATES.get(reason, (reason,))[0].lower(), "this": row.pk == token.pk,
         "ended": ended_at(row, reason, successor)}
        for row, reason, successor in zip(ordered, reasons, later, strict=True)
    ]  # fmt: skip


def history(number: str) -> list[dict[str, Any]]:
    """What the trail says of a token, the newest HISTORY, oldest first; a run of equal events is one line."""
    found: dict[str, Any] = {}
    for table in (SecurityEvent.objects.using("audit"), OutboxEvent.objects.all()):
        rows: Any = table.filter(token=number).order_by("-at", "-pk")[:HISTORY]
        found |= {event.event_id: event for event in rows}
    newest = sorted(found.values(), key=lambda event: (event.at, event.pk))[-HISTORY:]
    return [_line(list(run)) for _, run in groupby(newest, key=lambda event: (event.kind, event.address, event.reason))]


def _line(run: list[Any]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    tones = {"done": "good" if first.kind == "issued" else "", "refused": "warn", "odd": "bad"}
    return {
        "at": to_datetime(first.at), "until": to_datetime(last.at), "count": len(run),
        "what": event_kinds.label(first.kind), "reason": first.reason,
        "address": first.address, "tone": tones[event_kinds.result_of(first.kind)],
    }  # fmt: skip


def _forms(token: AccessToken) -> Iterable[dict[str, Any]]:
    """The endings that an operator may begin here; each asks once more."""
    authorization = token.authorization
    yield {"url": "admin:oauth_accesstoken_changelist", "action": "end", "pk": token.pk, "label": "End this token"}
    yield {
        "url": "admin:oauth_authorization_changelist", "action": "end", "pk": authorization.pk,
        "label": f"End authorization {authorization}",
    }  # fmt: skip
    if authorization.user:
        yield {
            "url": "admin:accounts_user_changelist", "action": "end_access", "pk": authorization.user.pk,
            "label": f"End everything of {authorization.user.username}",
        }  # fmt: skip
    yield {
        "url": "admin:oauth_client_changelist", "action": "end_access", "pk": authorization.client.pk,
        "label": f"End everything of {authorization.client.client_id}",
    }  # fmt: skip


def _moment(microseconds: int) -> Any:
    return to_datetime(microseconds) if microseconds else None
