"""What access a person has given: what lives, what has ended, when and why (RV-05)."""

from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Greatest, Least

from accounts.models import User
from oauth.authorization.previous_consent import used_of_late
from oauth.ending.first_reason import superseded_at
from oauth.models import AccessToken, Authorization, Client, Code, RefreshToken, liveness
from smart.fhir.versions import NO_FHIR
from smart.time_units import DAY
from smart.tokens.liveness import Dead

LISTED_FOR = 90 * DAY


def live_access(user: User, *, now: int) -> QuerySet[Any]:
    """What an app can still use or refresh, last given first, each with `newest`, its last token, if it has one."""
    found = _with_newest_token(user).filter(_has_usable_token(now) | _is_not_asked_again(now), unusable_reason="")
    return found.order_by(F("newest").desc(nulls_last=True), "-pk")


def ended_access(user: User, *, now: int) -> QuerySet[Any]:
    """What has ended in the last 90 days, the last first: `over_at` says when, in the future where no row knows it."""
    found: QuerySet[Any] = (
        _with_newest_token(user)
        .exclude(_has_usable_token(now) | _is_not_asked_again(now), unusable_reason="")
        .alias(ran_out=_runs_out_at())
    )
    found = found.annotate(revoked_for=_of_newest("revoked_for"), revoked_at=_of_newest("revoked_at"))
    found = found.annotate(replaced_at=_of_newest(superseded_at()))
    ended_at = Case(When(ended_at__gt=0, then=F("ended_at")), default=F("ran_out"))
    found = found.annotate(over_at=Least(F("ran_out"), Coalesce(F("replaced_at"), F("ran_out")), ended_at))
    return found.filter(over_at__gt=now - LISTED_FOR).order_by("-over_at", "-pk")


def first_reason(ended: Any, *, now: int) -> str:
    """What ended one of those first, a key of REASONS."""
    if ended.over_at == ended.ended_at:
        return str(ended.ended_for)
    if ended.over_at == ended.replaced_at:
        return Dead.SUPERSEDED
    if ended.over_at > now:
        return str(ended.unusable_reason)
    return str(ended.revoked_for) if ended.over_at == ended.revoked_at else Dead.EXPIRED


def _with_newest_token(user: User) -> QuerySet[Any]:
    newest = AccessToken.objects.filter(authorization=OuterRef("pk")).order_by("-pk")
    own: QuerySet[Any] = liveness.with_unusable_reason(Authorization.objects.of(user))
    found: QuerySet[Any] = own.annotate(newest=Subquery(newest.values("pk")[:1]))
    return found


def _has_usable_token(now: int) -> Q:
    """A live token, a refresh token that continues it, or a code that the app is about to exchange."""
    tokens = liveness.live(AccessToken.objects.filter(authorization=OuterRef("pk")), now=now)
    codes = Code.objects.filter(
        authorization=OuterRef("pk"), authorization_epoch=OuterRef("epoch"), consumed_at=0, expires_at__gt=now
    )
    refreshing = liveness.refreshable(now=now).filter(authorization=OuterRef("pk"))
    return Q(Exists(tokens)) | Q(Exists(refreshing)) | Q(Exists(codes))


def _is_not_asked_again(now: int) -> Q:
    """A sign-in by plain OpenID Connect that is not asked again (AZ-23): the newest of that app, and used of late."""
    newer = Authorization.objects.filter(client=OuterRef("client"), user=OuterRef("user"), pk__gt=OuterRef("pk"))
    newest = ~Q(Exists(newer.filter(fhir_server=OuterRef("fhir_server"))))
    own = Q(client__profile=Client.Profile.OPENID, client__always_asks_consent=False, fhir_server__version=NO_FHIR)
    return own & used_of_late(now=now) & newest


def _runs_out_at() -> Greatest:
    """When the last of its token, refresh token and code was over by itself, or revoked."""
    unused = {"authorization": OuterRef("pk"), "consumed_at": 0}
    last = [
        _of_newest(Case(When(revoked_at=0, then=F("expires_at")), default=Least(F("revoked_at"), F("expires_at")))),
        Subquery(RefreshToken.objects.filter(**unused).order_by("-expires_at").values("expires_at")[:1]),
        Subquery(Code.objects.filter(**unused).order_by("-expires_at").values("expires_at")[:1]),
    ]
    return Greatest(F("granted_at"), *(Coalesce(each, F("granted_at")) for each in last))


def _of_newest(what: Any) -> Subquery:
    fact = F(what) if isinstance(what, str) else what
    return Subquery(AccessToken.objects.filter(pk=OuterRef("newest")).annotate(fact=fact).values("fact")[:1])
