"""Tokens: looked at and ended, never edited; the token, its digests and its jti are shown nowhere (SB-04, RV-08)."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts import clock
from oauth.ending.first_reason import with_first_reason
from oauth.ending.reasons import EndedFor
from oauth.ending.tokens import END_BY_ID, end_token
from oauth.models import AccessToken, Authorization, liveness, parse_reference, public_reference
from operators.admin import authorizations, confirmation, token_life
from operators.admin.filters import RowFilter, filter_by, filter_by_link
from operators.admin.model_admin import ReadOnlyAdmin, actor, search
from operators.admin.rendering import count_text, link, shorten, state_tag, time_element
from smart.tokens.liveness import Dead

RAN_ITS_COURSE = (Dead.SUPERSEDED, Dead.EXPIRED)
TAKEN_AWAY = [rule for rule in Dead if rule not in RAN_ITS_COURSE]


# The rule that a token breaks costs less than the first reason, so it comes first: there may be millions of tokens.


def _superseded(found: Any) -> Any:
    taken = F("seat_number") + F("authorization__client__tokens_to_keep")
    return found.filter(seat__latest_number__gte=taken, first_reason=Dead.SUPERSEDED)


def _expired(found: Any) -> Any:
    return found.filter(expires_at__lte=clock.now(), first_reason=Dead.EXPIRED)


def _taken_away(found: Any) -> Any:
    return found.filter(dead_reason__in=TAKEN_AWAY).exclude(first_reason__in=RAN_ITS_COURSE)


def _live(found: Any) -> Any:
    return liveness.live(found, now=clock.now())


STATE = filter_by(
    "state",
    "state",
    {
        "live": ("live", lambda found: _live(found)),
        "flagged": ("live and flagged", lambda found: _live(found.filter(authorization__flagged_at__gt=0))),
        "superseded": ("superseded", _superseded),
        "expired": ("expired", _expired),
        "tampered": ("came back changed", lambda found: found.filter(revoked_for=EndedFor.TAMPERED)),
        "ended": ("ended or revoked", _taken_away),
    },
)
AUTHORIZATION = filter_by_link(
    "authorization", "authorization", lambda found, number: found.filter(authorization=parse_reference(number))
)


class AccessTokenAdmin(ReadOnlyAdmin):
    list_display = ("number", "state", "client", "person", "patient", "issued", "address_")
    list_filter = (
        STATE,
        ("authorization__client", RowFilter),
        ("authorization__fhir_server", RowFilter),
        AUTHORIZATION,
    )
    search_fields = ("pk",)
    search_help_text = "number of a token, user name or client id, complete"
    ordering = ("-pk",)
    actions = ("end", "end_authorizations")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search(
            queryset,
            search_term,
            lambda term, people: queryset.filter(authorization__in=_authorizations_of(term, people)),
        )

    @admin.display(description="number")
    def number(self, row: AccessToken) -> str:
        return public_reference(row.pk)

    @admin.display(description="state")
    def state(self, row: Any) -> SafeString:
        return state_tag(row.first_reason)

    @admin.display(description="client")
    def client(self, row: AccessToken) -> SafeString:
        client = row.authorization.client
        return link("oauth_client_change", client.client_id, client.pk)

    @admin.display(description="person")
    def person(self, row: AccessToken) -> SafeString | str:
        user = row.authorization.user
        return link("accounts_user_change", user.username, user.pk) if user else "-"

    @admin.display(description="patient")
    def patient(self, row: AccessToken) -> str:
        return shorten(row.authorization.patient or "-")

    @admin.display(description="issued")
    def issued(self, row: AccessToken) -> SafeString | str:
        return time_element(row.issued_at)

    @admin.display(description="address")
    def address_(self, row: AccessToken) -> str:
        return row.address or "-"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The token's life."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        token = self.get_object(request, object_id)
        if token is None:
            raise Http404
        return token_life.page(request, token)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessToken]:
        found = super().get_queryset(request).select_related(*liveness.TOKEN_FACTS)
        return with_first_reason(found, now=clock.now())

    def event_fields(self, row: AccessToken) -> dict[str, str]:
        return {**row.authorization.event_fields(), "token": public_reference(row.pk)}

    @admin.action(description="End these tokens")
    def end(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            alive = liveness.live(queryset.order_by(), now=clock.now()).count()
            ending = [f"{count_text(alive, 'live token')}. The authorizations stay: their apps may get new tokens."]
            return confirmation.page(
                request, self, queryset, title="End these tokens?", button="End these tokens", ending=ending
            )
        with transaction.atomic():
            pks = queryset.order_by("pk").values_list("pk", flat=True)
            ended = sum(end_token(END_BY_ID, [pk], actor(request), EndedFor.OPERATOR) for pk in pks)
        self.message_user(request, f"Ended {count_text(ended, 'token')}.")
        return None

    @admin.action(description="End the authorizations of these tokens")
    def end_authorizations(self, request: HttpRequest, queryset: QuerySet[AccessToken]) -> HttpResponse | None:
        of = Authorization.objects.filter(pk__in=queryset.order_by().values("authorization"))
        if not confirmation.is_confirmed(request):
            title = "End the authorizations of these tokens"
            return confirmation.page(
                request, self, queryset, title=f"{title}?", button=title, ending=confirmation.consequences(of)
            )
        ended = authorizations.end(request, of)
        self.message_user(request, f"Ended {count_text(ended, 'authorization')} and their tokens.")
        return None


def _authorizations_of(term: str, people: Any) -> Any:
    """The authorizations of a person or client: two looks into two indexes."""
    found = Authorization.objects.order_by()
    return found.filter(user__in=people).values("pk").union(found.filter(client__client_id=term).values("pk"))
