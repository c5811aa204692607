"""Security events, read only, from the audit database; the people in them by the names that the main one knows."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from accounts import clock
from accounts.models import User
from audit import event_kinds
from audit.models import SecurityEvent
from oauth.explain.reference_answer import NOTHING_KEPT
from oauth.models import parse_reference
from operators.admin.filters import filter_by, filter_by_link
from operators.admin.model_admin import ReadOnlyAdmin
from operators.admin.rendering import shorten, tag, time_element
from smart.time_units import DAY, HOUR

TONES = {"done": "", "refused": "warn", "odd": "bad"}


def _of_kinds(kinds: Iterable[str]) -> Any:
    return lambda found: found.filter(kind__in=list(kinds))


def _equal(name: str) -> Callable[[Any, str], Any]:
    return lambda found, value: found.filter(**{name: value})


def _within(length: int) -> Any:
    return lambda found: found.filter(at__gt=clock.now() - length)


def _today(found: Any) -> Any:
    return found.filter(at__gte=clock.now() // DAY * DAY)


def _yesterday(found: Any) -> Any:
    today = clock.now() // DAY * DAY
    return found.filter(at__gte=today - DAY, at__lt=today)


RESULT = filter_by(
    "result",
    "result",
    {result.value: (result.value, _of_kinds(event_kinds.kinds_of(result))) for result in event_kinds.Result},
)
KIND = filter_by(
    "kind", "kind", {kind: (event_kinds.label(kind), _of_kinds([kind])) for kind in sorted(event_kinds.EventKind)}
)
WHEN = filter_by(
    "day",
    "day",
    {
        "hour": ("the last hour", _within(HOUR)),
        "today": ("today (UTC)", _today),
        "yesterday": ("yesterday", _yesterday),
        "week": ("the last 7 days", _within(7 * DAY)),
    },
)
COLUMNS = ("client", "person", "address", "token", "authorization", "fhir_server", "operator")


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyAdmin):
    list_display = ("shown_at", "what", "result", "client_", "person_", "address_", "reference_")
    list_filter = (
        RESULT,
        WHEN,
        *(filter_by_link(name.replace("_", " "), name, _equal(name)) for name in COLUMNS),
        KIND,
    )
    search_fields = ("pk",)
    search_help_text = "client id, user name, address, token or authorization number, or reference, complete"
    ordering = ("-at", "-pk")
    fields = (
        "shown_at",
        "what",
        "result",
        "client_",
        "person_",
        "operator_",
        "fhir_server",
        "patient",
        "authorization",
        "token",
        "address_",
        "rule",
        "case",
        "reason",
        "presented",
        "reference",
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list; of a number that stands in one event alone, that event; where it stands in none, it says so."""
        term = request.GET.get(SEARCH_VAR, "")
        if list(request.GET) == [SEARCH_VAR] and "-" in term and parse_reference(term) is not None:
            named = [row.pk for row in self.get_search_results(request, SecurityEvent.objects.order_by(), term)[0][:2]]
            if len(named) == 1:
                return HttpResponseRedirect(reverse("admin:audit_securityevent_change", args=named))
            if not named:
                self.message_user(request, NOTHING_KEPT, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """The form of what is sought says where to look: each of these columns has an index."""
        term = search_term.strip()
        if not term or "\0" in term:
            return (queryset.none() if term else queryset), False
        if parse_reference(term) is not None and "-" in term:
            number = term.upper()
            found = SecurityEvent.objects.order_by()
            named = [found.filter(**{name: number}).values("pk") for name in ("token", "authorization", "reference")]
            return queryset.filter(pk__in=named[0].union(*named[1:])), False
        if "." in term or ":" in term:
            return queryset.filter(address=term), False
        subjects = list(User.objects.get_queryset().filter(username=term).values_list("subject", flat=True))
        return (queryset.filter(person__in=subjects) if subjects else queryset.filter(client=term)), False

    def load_columns(self, rows: list[Any]) -> None:
        """User names for the subjects in the rows: one look into the main database."""
        subjects = {subject for row in rows for subject in (row.person, row.operator) if subject}
        names = dict(User.objects.get_queryset().filter(subject__in=subjects).values_list("subject", "username"))
        for row in rows:
            row.username, row.operator_name = names.get(row.person, ""), names.get(row.operator, "")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            self.load_columns([row])
        return row

    @admin.display(description="when")
    def shown_at(self, row: SecurityEvent) -> SafeString | str:
        return time_element(row.at)

    @admin.display(description="what")
    def what(self, row: SecurityEvent) -> str:
        return event_kinds.label(row.kind)

    @admin.display(description="result")
    def result(self, row: SecurityEvent) -> SafeString:
        name = event_kinds.result_of(row.kind)
        return tag(name, TONES[name])

    @admin.display(description="client")
    def client_(self, row: SecurityEvent) -> SafeString | str:
        return narrowing_link("client", row.client)

    @admin.display(description="person")
    def person_(self, row: Any) -> SafeString | str:
        if row.operator and not row.person:
            return format_html("by {}", narrowing_link("operator", row.operator, row.operator_name))
        return narrowing_link("person", row.person, row.username)

    @admin.display(description="by the operator")
    def operator_(self, row: Any) -> SafeString | str:
        return narrowing_link("operator", row.operator, row.operator_name)

    @admin.display(description="address")
    def address_(self, row: SecurityEvent) -> SafeString | str:
        return narrowing_link("address", row.address)

    @admin.display(description="reference")
    def reference_(self, row: SecurityEvent) -> SafeString | str:
        return narrowing_link("token", row.token) if row.token else shorten(row.reference or "-")


def narrowing_link(name: str, value: str, text: str = "") -> SafeString | str:
    """A value that narrows the list to itself."""
    if not value:
        return "-"
    return format_html('<a href="?{}">{}</a>', urlencode({name: value}), shorten(text or value))
