"""The operators' site: Django's admin with five numbers on top and our tables in one list."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite, autodiscover
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path, reverse

from accounts import clock
from accounts.models import User
from accounts.sessions import signed_in_user
from audit.event_kinds import Result, kinds_of
from audit.models import SecurityEvent
from oauth.http.dead_ends import NotForYou
from oauth.http.redirects import redirect_within
from oauth.models import AccessToken, Authorization, SigningKey, liveness
from smart.time_units import DAY, HOUR

NOT_FOR_YOU = "This page is for operators"
PURPOSE = "Operators run this server. Your account, {username}, is for using health records."
ORDER = (
    "Client",
    "FhirServer",
    "User",
    "PatientRecord",
    "Authorization",
    "AccessToken",
    "RefreshToken",
    "SecurityEvent",
    "SigningKey",
)


class OperatorsSite(AdminSite):
    """Who may come in is decided at /login; who may stay is an operator."""

    site_header = site_title = "smartauth admin"
    enable_nav_sidebar = False
    index_title = "What runs, who may do what, what happened"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Somebody else who is signed in hears what the page is for; signing in once more would not help them."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            user = signed_in_user(request)
            if user is not None and not self.has_permission(request):
                raise NotForYou(NOT_FOR_YOU, PURPOSE.format(username=user.username), "admin")
            return inner(request, *args, **kwargs)

        return wrapped

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from operators.admin import find  # which registers rows here, so it comes later

        autodiscover()
        own = [
            path("explain/", self.admin_view(find.explain_for_operators), name="explain"),
            path("find/", self.admin_view(find.find), name="find"),
        ]
        return [*own, *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """All our tables as one list, in the order of an operator's work."""
        models = [model for app in super().get_app_list(request, app_label) for model in app["models"]]
        shown = sorted(
            (model for model in models if model["object_name"] in ORDER),
            key=lambda model: ORDER.index(model["object_name"]),
        )
        group = {"name": "Authorization server", "app_label": "oauth", "app_url": reverse("admin:index")}
        return [{**group, "has_module_perms": True, "models": shown}] if shown else []

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """There is one page for one's own password."""
        return redirect_within("/password")

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().index(request, {**(extra_context or {}), "numbers": numbers(now=clock.now())})


def numbers(*, now: int) -> list[dict[str, Any]]:
    """The five numbers, each with the list that it counts."""
    return [
        _number("live tokens", _live_count(now), "oauth_accesstoken", "state=live"),
        _number("flagged authorizations", _flagged_count(), "oauth_authorization", "state=flagged", warn=True),
        _number("refused in the last hour", _refused_count(now), "audit_securityevent", "result=refused&day=hour"),
        _number(
            "suspended people",
            User.objects.get_queryset().filter(suspended_at__gt=0).count(),
            "accounts_user",
            "state=suspended",
        ),
        _number("days that the signing key is old", _key_age(now), "oauth_signingkey", "state=active"),
    ]


def _number(label: str, value: object, table: str, query: str, *, warn: bool = False) -> dict[str, Any]:
    url = f"{reverse(f'admin:{table}_changelist')}?{query}"
    return {"label": label, "value": value, "url": url, "warn": warn and bool(value)}


def _live_count(now: int) -> int:
    return liveness.live(AccessToken.objects.all(), now=now).count()


def _flagged_count() -> int:
    return liveness.usable(Authorization.objects.filter(flagged_at__gt=0)).count()


def _refused_count(now: int) -> int:
    return SecurityEvent.objects.filter(kind__in=kinds_of(Result.REFUSED), at__gt=now - HOUR).count()


def _key_age(now: int) -> object:
    """Of the oldest key that signs."""
    oldest = SigningKey.objects.filter(state=SigningKey.State.ACTIVE).order_by("activated_at").first()
    return (now - oldest.activated_at) // DAY if oldest else "none"
