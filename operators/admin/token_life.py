"""The life of one token: what it belongs to, what happened, and whether it would be let in now. Never the token."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import clock
from audit.event_kinds import EventKind, label, result_of
from audit.models import OutboxEvent, SecurityEvent
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import reason
from oauth.models import AccessToken, liveness, public_reference
from operators.admin import timeline
from smart.time_units import SECOND, to_datetime
from smart.tokens.liveness import ISSUED, RULES, Dead

HISTORY = 50
OF_AUTHORIZATIONS = (EventKind.AUTHORIZATION_ENDED, EventKind.ACCESS_TAKEN_BACK)
FAMILY = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule: passed, refused, or not reached because an earlier one refused."""

    outcome: str
    text: str


def verdicts(reason: Dead | None) -> list[Verdict]:
    """The rules of introspection in their order, up to the one that refuses."""
    found = [Verdict("passed", ISSUED.sentence)]
    for name, rule in RULES.items():
        if found[-1].outcome != "passed":
            found.append(Verdict("not reached", rule.sentence))
        else:
            found.append(Verdict("refused", rule.broken) if name == reason else Verdict("passed", rule.sentence))
    return found


def state(token: Any) -> str:
    """What became of it, in a word."""
    if not token.first_reason:
        return "Live"
    if token.first_reason in {Dead.SUPERSEDED, Dead.EXPIRED}:
        return str(token.first_reason).capitalize()
    return "Revoked" if token.died_at and token.died_at == token.revoked_at else "Ended"


def why(token: Any, now: int) -> str:
    """What ended it first, in one sentence; while it lives, for how long."""
    if token.first_reason:
        return reason(token.first_reason).operator
    return f"It is alive. It expires in {max(1, (token.expires_at - now) // SECOND)} seconds."


def page(request: HttpRequest, token: Any) -> HttpResponse:
    now = clock.now()
    family = _family(token, now)
    context = {
        "token": token,
        "number": public_reference(token.pk),
        **_outcome(token, now),
        "family": [_sibling(row, token) for row in family],
        "bars": timeline.chart([(str(row), row.issued_at, row.died_at, row.first_reason) for row in family], now),
        "used": _moment(token.authorization.used_at),
        "history": history(token),
        "verdicts": verdicts(liveness.dead_reason(token, now=now)),
        "forms": _forms(token),
        "events_url": f"{reverse('admin:audit_securityevent_changelist')}?token={public_reference(token.pk)}",
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    response = render(request, "admin/oauth/accesstoken/life.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _outcome(token: Any, now: int) -> dict[str, Any]:
    return {
        "state": state(token),
        "tone": reason(token.first_reason).tone if token.first_reason else "good",
        "why": why(token, now),
        "ended": _moment(token.died_at),
    }


def _sibling(row: Any, token: Any) -> dict[str, Any]:
    return {
        "row": row,
        "why": state(row).lower(),
        "this": row.pk == token.pk,
        "ended": _moment(row.died_at),
        "issued": to_datetime(row.issued_at),
    }


def _family(token: Any, now: int) -> list[Any]:
    """The tokens of its authorization, oldest first: the newest FAMILY, and this one in any case."""
    rows = with_first_reason(AccessToken.objects.filter(authorization=token.authorization_id), now=now)
    found = {row.pk: row for row in [*rows.order_by("-pk")[:FAMILY], token]}
    return [found[pk] for pk in sorted(found)]


def history(token: AccessToken) -> list[dict[str, Any]]:
    """What the trail says of a token and of the end of what it hung on, the newest HISTORY, oldest first; a run of
    equal events is one line."""
    found: dict[str, Any] = {}
    for table in (SecurityEvent.objects.using("audit"), OutboxEvent.objects.all()):
        for wanted in _about(token):
            rows: Any = table.filter(wanted).order_by("-at", "-pk")[:HISTORY]
            found |= {event.event_id: event for event in rows}
    newest = sorted(found.values(), key=lambda event: (event.at, event.pk))[-HISTORY:]
    return [_line(list(run)) for _, run in groupby(newest, key=lambda event: (event.kind, event.address, event.reason))]


def _about(token: AccessToken) -> list[Q]:
    """Events of the token; and of its authorization, client, person and FHIR server those that ended it, if they did.

    Each names a column that has an index.
    """
    row = token.authorization
    meanwhile = Q(at__gte=token.issued_at, at__lte=token.expires_at, token="")
    of_client = Q(client=row.client.client_id, kind__in=[EventKind.CLIENT_ENDED, EventKind.CLIENT_DISABLED])
    return [
        Q(token=public_reference(token.pk)),
        Q(authorization=public_reference(row.pk), kind__in=OF_AUTHORIZATIONS) & meanwhile,
        of_client & meanwhile,
        Q(kind=EventKind.FHIR_SERVER_ENDED, fhir_server=row.fhir_server.base) & meanwhile,
    ]


def _line(run: list[Any]) -> dict[str, Any]:
    first, last = run[0], run[-1]
    tones = {"done": "good" if first.kind == "issued" else "", "refused": "warn", "odd": "bad"}
    return {
        "at": to_datetime(first.at), "until": to_datetime(last.at), "count": len(run),
        "what": label(first.kind), "reason": first.reason,
        "address": first.address, "tone": tones[result_of(first.kind)],
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
