"""What the user has allowed this app before, as long as that access is alive (AZ-23).

There is no memory beside the authorizations: what the user takes back, or what has ended by itself, is asked again. So
is everything that was allowed for "Only now". Plain OpenID Connect knows no "Only now": users who sign in with an app
allow that for every time, see it among their connected apps, and are asked again once they take it back or stay away.
"""

from typing import Any

from django.conf import settings
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest

from accounts import clock
from accounts.models import User
from oauth.authorization.pending_request import Pending
from oauth.ending import online_access
from oauth.models import AccessToken, Authorization, Client, liveness
from oauth.people import identities
from smart.fhir.versions import resource_types
from smart.scopes.scope_sets import grantable_scope, is_within, parse_scopes, scope_string, without_unusable_fhir_user
from smart.time_units import CLOCK_SKEW, SECOND
from smart.tokens import refresh


def granted_scope(request: HttpRequest, pending: Pending, user: User) -> str:
    """The scope of the newest access that the app has: same client, person, patient and FHIR server. "" if none."""
    row = pending.row
    if pending.request.openid:
        return _openid_scope(pending, user)
    same = Authorization.objects.filter(client=row.client, user=user, fhir_server=row.fhir_server, patient=row.patient)
    under_same_identity = same.filter(fhir_user=identities.fhir_user(user, row.fhir_server))
    alive = liveness.refreshable(now=clock.now()).values("authorization")
    found = liveness.usable(under_same_identity.filter(pk__in=alive)).order_by("-pk").first()
    if found is None or (found.session_digest and found.session_digest != online_access.session_digest(request)):
        return ""
    return str(found.scope)


def _openid_scope(pending: Pending, user: User) -> str:
    """What plain OpenID Connect was allowed last, whether or not a token of it lives; /apps lists it (AZ-23)."""
    same = Authorization.objects.filter(client=pending.row.client, user=user, fhir_server=pending.row.fhir_server)
    remembered = ExpressionWrapper(used_of_late(now=clock.now()), output_field=BooleanField())
    rows: QuerySet[Any] = same.select_related("client", "user", "fhir_server").annotate(remembered=remembered)
    newest = rows.order_by("-pk").first()
    if newest is None or not newest.remembered or liveness.unusable_reason(newest):
        return ""
    return str(newest.scope)


def holds_access(pending: Pending, user: User) -> bool:
    """Whether anything that the app holds of this user is alive: a token, or a sign-in by OpenID Connect."""
    if pending.request.openid:
        return bool(_openid_scope(pending, user))
    now, theirs = clock.now(), {"authorization__client": pending.row.client, "authorization__user": user}
    usable = liveness.usable(Authorization.objects.filter(client=pending.row.client, user=user)).values("pk")
    refreshable = liveness.refreshable(now=now).filter(authorization__in=usable)
    return refreshable.exists() or liveness.live(AccessToken.objects.filter(**theirs), now=now).exists()


def remembered_days(client: Client) -> int:
    """For how many days a sign-in by plain OpenID Connect with that app is not asked again; 0 = it is asked anew."""
    return 0 if client.always_asks_consent else max(1, int(settings.SMARTAUTH_REFRESH_IDLE_SECONDS) // 86_400)


def used_of_late(*, now: int) -> Q:
    """Sign-ins by plain OpenID Connect that are recent enough not to be asked again (AZ-23)."""
    return Q(granted_at__gt=remembered_since(now=now), granted_at__lte=now + CLOCK_SKEW)


def remembered_since(*, now: int) -> int:
    """Since when a sign-in by plain OpenID Connect must have been used not to be asked again."""
    return now - int(settings.SMARTAUTH_REFRESH_IDLE_SECONDS) * SECOND


def covered_scope(request: HttpRequest, pending: Pending, user: User, scope: str) -> str:
    """What of `scope` need not be asked again, all of it allowed already; "" where the user must be asked."""
    authorization_request = pending.request
    if (
        "consent" in authorization_request.prompts
        or pending.row.client.always_asks_consent
        or not _is_authenticated_client(pending)
    ):
        return ""
    before = granted_scope(request, pending, user)
    somebody = authorization_request.openid or bool(identities.fhir_user(user, pending.row.fhir_server))
    usable = scope_string(without_unusable_fhir_user(parse_scopes(scope), somebody=somebody))
    scope = _single_refresh_scope(usable, before)
    if not is_within(scope, before):
        return ""
    return grantable_scope(scope, before, types=resource_types(authorization_request.fhir_version))


def _is_authenticated_client(pending: Pending) -> bool:
    """Whether somebody else can hardly be in the place of the app: it has a secret or an address of its own (AZ-23)."""
    client = pending.row.client
    public = client.authentication == Client.Authentication.NONE
    return bool(client.approved) and not (public and not pending.redirect_uri.startswith("https://"))


def _single_refresh_scope(requested: str, before: str) -> str:
    """Of two kinds of refresh the one that the user chose, since an app cannot have both (SCP-17)."""
    both = {part.short_name for part in parse_scopes(requested)} >= {refresh.OFFLINE, refresh.ONLINE}
    other = {refresh.OFFLINE: refresh.ONLINE, refresh.ONLINE: refresh.OFFLINE}.get(refresh.refresh_scope(before), "")
    return scope_string(part for part in parse_scopes(requested) if part.short_name != other) if both else requested
