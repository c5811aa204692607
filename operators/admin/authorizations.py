"""Authorizations: what people have granted; looked at, ended, flags cleared, never edited (RV-08)."""

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audit.event_kinds import EventKind
from oauth.ending import access
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Selection
from oauth.models import Authorization, liveness, public_reference
from operators.admin import confirmation
from operators.admin.authorization_filters import OFFLINE, PERSON, STATE
from operators.admin.filters import RowFilter
from operators.admin.model_admin import ReadOnlyAdmin, actor, record_operator_events, search
from operators.admin.rendering import count_text, link, shorten, state_tag, tag, time_element
from smart.text import has_unsafe_characters

LONGEST_REASON = 500
MOST_ELSEWHERE = 20


@admin.register(Authorization)
class AuthorizationAdmin(ReadOnlyAdmin):
    list_display = ("number", "person", "client_id_", "patient_", "server", "allowed", "state")
    list_filter = (STATE, OFFLINE, ("client", RowFilter), ("fhir_server", RowFilter), PERSON)
    list_select_related = ("user", "client", "fhir_server")
    search_fields = ("pk",)
    search_help_text = "number, user name, client id or patient's FHIR id, complete"
    ordering = ("-flagged_at", "-pk")  # what was noticed stays on top until somebody has looked and cleared the flag
    actions = ("end", "clear_flag")
    fields = (
        "number",
        "state",
        "person",
        "client_id_",
        "server",
        "patient_",
        "context_",
        "scope",
        "allowed",
        "ended",
        "flagged",
        "token_address",
        "use_address",
        "used",
        "elsewhere",
        "tokens",
        "refresh_tokens",
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return search(queryset, search_term, lambda term, people: queryset.filter(pk__in=_any_of(term, people)))

    @admin.display(description="number")
    def number(self, row: Authorization) -> str:
        return public_reference(row.pk)

    @admin.display(description="person")
    def person(self, row: Authorization) -> SafeString | str:
        return link("accounts_user_change", row.user.username, row.user.pk) if row.user else "nobody (backend service)"

    @admin.display(description="client")
    def client_id_(self, row: Authorization) -> SafeString:
        return link("oauth_client_change", row.client.client_id, row.client.pk)

    @admin.display(description="patient")
    def patient_(self, row: Authorization) -> str:
        return shorten(row.patient or "-")

    @admin.display(description="FHIR server")
    def server(self, row: Authorization) -> str:
        return shorten(row.fhir_server.name_and_version)

    @admin.display(description="allowed on")
    def allowed(self, row: Authorization) -> SafeString | str:
        return time_element(row.granted_at)

    @admin.display(description="ended on")
    def ended(self, row: Authorization) -> SafeString | str:
        return time_element(row.ended_at)

    @admin.display(description="flagged on")
    def flagged(self, row: Authorization) -> SafeString | str:
        return time_element(row.flagged_at)

    @admin.display(description="last used")
    def used(self, row: Authorization) -> SafeString | str:
        return (
            format_html("{}, from {}", time_element(row.used_at), row.used_from or "not told") if row.used_at else "-"
        )

    @admin.display(description="at other addresses")
    def elsewhere(self, row: Authorization) -> SafeString | str:
        found = row.address_changes.order_by("-noted_at")[:MOST_ELSEWHERE]
        return format_html_join("; ", "{}, {}", ((each.address, time_element(each.noted_at)) for each in found)) or "-"

    @admin.display(description="state")
    def state(self, row: Authorization) -> SafeString:
        reason = row.ended_for or liveness.unusable_reason(row) or ""
        return tag("flagged", "warn") if not reason and row.flagged_at else state_tag(reason)

    @admin.display(description="what the app is told")
    def context_(self, row: Authorization) -> SafeString | str:
        told = json.loads(row.context).items()
        return format_html_join(", ", "{}: {}", ((name, shorten(value)) for name, value in told)) or "-"

    @admin.display(description="tokens")
    def tokens(self, row: Authorization) -> SafeString:
        return link("oauth_accesstoken_changelist", "Access tokens", query=f"?authorization={row}")

    @admin.display(description="refresh tokens")
    def refresh_tokens(self, row: Authorization) -> SafeString:
        return link("oauth_refreshtoken_changelist", "Refresh tokens", query=f"?authorization={row}")

    def event_fields(self, row: Authorization) -> dict[str, str]:
        return row.event_fields()

    def actions_for(self, row: Authorization) -> Sequence[str]:
        standing = ("end",) if not liveness.unusable_reason(row) else ()
        return (*standing, *(("clear_flag",) if row.flagged_at else ()))

    @admin.action(description="End these authorizations")
    def end(self, request: HttpRequest, queryset: QuerySet[Authorization]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            title = "End these authorizations"
            return confirmation.page(
                request, self, queryset, title=f"{title}?", button=title, ending=confirmation.consequences(queryset)
            )
        ended = end(request, queryset)
        self.message_user(request, f"Ended {count_text(ended, 'authorization')} and their tokens.")
        return None

    @admin.action(description="Clear the flag")
    def clear_flag(self, request: HttpRequest, queryset: QuerySet[Authorization]) -> HttpResponse | None:
        reason = request.POST.get("reason", "").strip()
        if not confirmation.is_confirmed(request) or not _is_reason(reason):
            return self._confirm_clearing(request, queryset)
        with transaction.atomic():
            flagged = list(queryset.filter(flagged_at__gt=0))
            Authorization.objects.filter(pk__in=[row.pk for row in flagged]).update(flagged_at=0)
            abouts = [row.event_fields() for row in flagged]
            record_operator_events(request, EventKind.FLAG_CLEARED, *abouts, reason=reason)
        self.message_user(request, f"Cleared {count_text(len(flagged), 'flag')}.", messages.SUCCESS)
        return None

    def _confirm_clearing(self, request: HttpRequest, queryset: QuerySet[Authorization]) -> HttpResponse:
        return confirmation.page(
            request,
            self,
            queryset,
            title="Clear the flag?",
            button="Clear the flag",
            ending=["Nothing. The tokens stay as they are."],
            lead="The reason stands in the security events. No names, no contents.",
            asks_reason=True,
            error="Say in a line why the flag is cleared." if confirmation.is_confirmed(request) else "",
        )


def end(request: HttpRequest, queryset: QuerySet[Authorization]) -> int:
    """Ends those that have not ended. Counts them."""
    return access.end(Selection.of_authorizations(queryset), actor(request), EndedFor.OPERATOR).authorizations


def _any_of(term: str, people: Any) -> Any:
    """By person, client or patient: three looks into three indexes."""
    found = Authorization.objects.order_by()
    by_client, by_patient = found.filter(client__client_id=term), found.filter(patient=term)
    return found.filter(user__in=people).values("pk").union(by_client.values("pk"), by_patient.values("pk"))


def _is_reason(text: str) -> bool:
    return 0 < len(text) <= LONGEST_REASON and not has_unsafe_characters(text)
