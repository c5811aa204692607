"""The life of one token: what it belongs to, what happened, and whether it would be let in now. Never the token."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import clock
from oauth.ending.first_cause import first_cause, first_rule, liveness_outcomes
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import reason
from oauth.explain.history import history_lines, token_events
from oauth.models import AccessToken, public_reference
from operators.admin import timeline
from smart.time_units import SECOND, to_datetime
from smart.tokens.liveness import Dead

FAMILY = 8
NAMED = (Dead.REVOKED, Dead.SUPERSEDED, Dead.EXPIRED)


def state(token: Any) -> str:
    """What became of it, in a word."""
    if not token.first_reason:
        return "Live"
    broken = first_rule(token)
    return broken.capitalize() if broken in NAMED else "Ended"


def why(token: Any, now: int) -> str:
    """What ended it first, in one sentence; while it lives, for how long."""
    cause = first_cause(token)
    if cause is not None:
        return f"{cause.what}."
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
        "history": history_lines(token_events(token)),
        "outcomes": liveness_outcomes(token, now=now),
        "forms": _forms(token),
        "events_url": f"{reverse('admin:audit_securityevent_changelist')}?token={public_reference(token.pk)}",
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return render(request, "admin/oauth/accesstoken/life.html", context)


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


def _forms(token: AccessToken) -> Iterable[dict[str, Any]]:
    """The endings that an operator may begin here; each asks once more."""
    authorization = token.authorization
    yield _form("oauth_accesstoken", "end", token.pk, "End this token")
    yield _form("oauth_authorization", "end", authorization.pk, f"End authorization {authorization}")
    person, client = authorization.user, authorization.client
    if person:
        yield _form("accounts_user", "end_access", person.pk, f"End everything of {person.username}")
    yield _form("oauth_client", "end_access", client.pk, f"End everything of {client.client_id}")


def _form(table: str, action: str, pk: int, label: str) -> dict[str, Any]:
    return {"url": f"admin:{table}_changelist", "action": action, "pk": pk, "label": label}


def _moment(microseconds: int) -> Any:
    return to_datetime(microseconds) if microseconds else None
