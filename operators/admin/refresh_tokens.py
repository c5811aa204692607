"""Refresh tokens: which are out and which are used; ended with their authorization, never alone (RV-08, SB-04)."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts import clock
from oauth.models import Authorization, RefreshToken, liveness, parse_reference, public_reference
from operators.admin import authorizations, confirmation
from operators.admin.filters import RowFilter, filter_by, filter_by_link
from operators.admin.model_admin import ReadOnlyAdmin
from operators.admin.rendering import count_text, link, shorten, tag, time_element

STATE = filter_by(
    "state",
    "state",
    {
        "unused": ("unused", lambda found: found.filter(consumed_at=0, expires_at__gt=clock.now())),
        "used": ("used", lambda found: found.filter(consumed_at__gt=0)),
        "expired": ("expired", lambda found: found.filter(consumed_at=0, expires_at__lte=clock.now())),
    },
)
AUTHORIZATION = filter_by_link(
    "authorization", "authorization", lambda found, number: found.filter(authorization=parse_reference(number))
)


class RefreshTokenAdmin(ReadOnlyAdmin):
    list_display = ("number", "state", "authorization_", "client", "person", "issued", "expires")
    list_filter = (
        STATE,
        ("authorization__client", RowFilter),
        ("authorization__fhir_server", RowFilter),
        AUTHORIZATION,
    )
    search_fields = ("pk",)
    search_help_text = "number of an authorization"
    ordering = ("-pk",)
    actions = ("end_authorizations",)
    fields = ("number", "state", "authorization_", "client", "person", "issued", "used", "expires")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefreshToken]:
        related = ("authorization__client", "authorization__user", "authorization__fhir_server")
        return super().get_queryset(request).select_related(*related)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return (queryset.filter(authorization=parse_reference(term)) if term else queryset), False

    @admin.display(description="number")
    def number(self, row: RefreshToken) -> str:
        return public_reference(row.pk)

    @admin.display(description="state")
    def state(self, row: RefreshToken) -> SafeString:
        if row.consumed_at:
            return tag("used")
        ended = liveness.unusable_reason(row.authorization) or row.authorization_epoch != row.authorization.epoch
        if ended:
            return tag("ended", "bad")
        return tag("expired") if row.expires_at <= clock.now() else tag("unused", "good")

    @admin.display(description="authorization")
    def authorization_(self, row: RefreshToken) -> SafeString:
        return link("oauth_authorization_change", row.authorization, row.authorization.pk)

    @admin.display(description="client")
    def client(self, row: RefreshToken) -> str:
        return shorten(row.authorization.client.client_id)

    @admin.display(description="person")
    def person(self, row: RefreshToken) -> str:
        return shorten(row.authorization.user.username if row.authorization.user else "-")

    @admin.display(description="issued")
    def issued(self, row: RefreshToken) -> SafeString | str:
        return time_element(row.issued_at)

    @admin.display(description="used")
    def used(self, row: RefreshToken) -> SafeString | str:
        return time_element(row.consumed_at)

    @admin.display(description="expires")
    def expires(self, row: RefreshToken) -> SafeString | str:
        return time_element(row.expires_at)

    def event_fields(self, row: RefreshToken) -> dict[str, str]:
        return row.authorization.event_fields()

    def actions_for(self, row: RefreshToken) -> Sequence[str]:
        return ("end_authorizations",)

    @admin.action(description="End the authorizations of these tokens")
    def end_authorizations(self, request: HttpRequest, queryset: QuerySet[RefreshToken]) -> HttpResponse | None:
        of = Authorization.objects.filter(pk__in=queryset.order_by().values("authorization"))
        if not confirmation.is_confirmed(request):
            title = "End the authorizations of these tokens"
            numbers = [public_reference(row.pk) for row in queryset]
            return confirmation.page(
                request,
                self,
                queryset,
                title=f"{title}?",
                button=title,
                ending=confirmation.consequences(of),
                lead=f"Refresh tokens {', '.join(numbers)}.",
            )
        ended = authorizations.end(request, of)
        self.message_user(request, f"Ended {count_text(ended, 'authorization')} and their tokens.")
        return None
