"""What every page of the operators shares: nothing vanishes, every change is in the trail, lists stay fast."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, ChangeList
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending.selection import Actor
from oauth.models import parse_reference
from operators.admin.django_generics import ModelAdmin, Paginator
from operators.admin.fields import is_row_id

MOST = 5000
OF_EVERY_LIST = frozenset({ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR, IS_POPUP_VAR, TO_FIELD_VAR})

LEFT_OUT = "This list does not have a filter that was asked for. It was left out: there may be more rows than expected."
UNREADABLE = "A filter has a value that this list does not know. This is the whole list."


class BoundedPaginator(Paginator):
    """Pages of the first MOST rows: counting all of a large table would cost more than showing fifty of them."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST].count())


class FilledChangeList(ChangeList):
    """A list whose rows are filled in together, not one by one."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        self.model_admin.load_columns(self.result_list)  # type: ignore[attr-defined]  # every list here is an OperatorAdmin


def search(queryset: Any, typed: str, found: Callable[[str, Any], Any]) -> tuple[Any, bool]:
    """The row of that public number, else what `found` says of a name or id typed whole and of the people so called."""
    term = typed.strip()
    if not term or "\0" in term:
        return (queryset.none() if term else queryset), False
    if (row := parse_reference(term)) is not None and queryset.filter(pk=row).exists():
        return queryset.filter(pk=row), False
    return found(term, User.objects.get_queryset().filter(username=term).values("pk")), False


def actor(request: HttpRequest) -> Actor:
    """The operator, as events name them."""
    subject = request.user.subject  # type: ignore[union-attr]  # the site lets operators in only
    return Actor(now=clock.now(), address=client_address(request), operator=subject)


def record_operator_events(request: HttpRequest, kind: EventKind, *abouts: dict[str, Any], reason: str = "") -> None:
    """Writes one event per thing that the operator changed, in the transaction of the change."""
    operator = actor(request)
    if abouts:
        record_events(*(operator.event(kind, **{"reason": reason, **about}) for about in abouts))


class OperatorAdmin(ModelAdmin):
    """Django's admin of a table, with our trail in place of its log."""

    also_saved: ClassVar[tuple[str, ...]] = ()  # columns that follow from what the form asks
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = BoundedPaginator
    list_per_page = 50
    sortable_by = ()
    change_form_template = "admin/acts_change_form.html"
    change_list_template = "admin/operators_change_list.html"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Of a row that is there only what was asked: an ending that comes meanwhile is not undone by old values."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        asked = {*form.fields, *self.also_saved}
        obj.save(update_fields=[field.name for field in obj._meta.concrete_fields if field.name in asked])

    def load_columns(self, rows: list[Any]) -> None:
        """What the columns need beyond the rows themselves, in a fixed number of queries."""

    def event_fields(self, row: Any) -> dict[str, str]:
        """The fields of an event that name this row."""
        return {}

    def actions_for(self, row: Any) -> Sequence[str]:
        """The actions that make sense for this row: buttons on its page."""
        return ()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row of that number; none, rather than an error of the database, for what is no number."""
        return super().get_object(request, object_id, from_field or None) if is_row_id(object_id) else None

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """The list; without a filter that it does not have, or with NUL, which PostgreSQL does not compare.

        Django filters by any column that an address names: a jti or a digest, which no page shows, could be guessed
        letter by letter. What is left out is said: who acts on the list would act on more than they asked for.
        """
        known = OF_EVERY_LIST | set(_filter_parameters(self.get_list_filter(request)))
        asked = [(name, values) for name, values in request.GET.lists() if name != SEARCH_VAR]
        if odd := [name for name, values in asked if name not in known or "\0" in "".join(values)]:
            self.message_user(request, LEFT_OUT, messages.WARNING)
            return HttpResponseRedirect(_address_without(request, odd))
        answer = super().changelist_view(request, extra_context)
        if getattr(answer, "url", "") != f"{request.path}?{ERROR_FLAG}=1":
            return answer
        if PAGE_VAR in request.GET:  # which is past the end, or no number: no reason to lose the filters
            return HttpResponseRedirect(_address_without(request, [PAGE_VAR]))
        self.message_user(request, UNREADABLE, messages.WARNING)
        return answer

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FilledChangeList

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any) -> HttpResponse | None:
        """Only the ticked rows, never "all pages": what a page has counted is what ends."""
        ticked: QueryDict = request.POST.copy()
        ticked["select_across"] = "0"
        ticked.setlist(ACTION_CHECKBOX_NAME, [one for one in ticked.getlist(ACTION_CHECKBOX_NAME) if is_row_id(one)])
        request.POST = ticked  # type: ignore[assignment]
        return super().response_action(request, queryset, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> TemplateResponse:
        row = context.get("original")
        known = self.get_actions(request)
        context["acts"] = [
            (name, found[2]) for name in (self.actions_for(row) if row else ()) if (found := known.get(name))
        ]
        context["title"] = str(self.opts.verbose_name).capitalize() if row else context["title"]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[return-value]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """The trail is the history."""
        row = self.get_object(request, object_id)
        about = self.event_fields(row) if row is not None else {}
        return redirect(f"{reverse('admin:audit_securityevent_changelist')}?{urlencode(_narrowest(about))}")

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        record_operator_events(
            request, EventKind.OPERATOR_ADDED, self.event_fields(obj), reason=str(self.opts.verbose_name)
        )

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        if changed := _changed_fields(message):
            record_operator_events(
                request,
                EventKind.OPERATOR_CHANGED,
                self.event_fields(obj),
                reason=f"{self.opts.verbose_name}: {changed}",
            )


class ReadOnlyAdmin(OperatorAdmin):
    """Rows that are looked at, never edited: things end, they do not vanish."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class Hidden(ReadOnlyAdmin):
    """A model that nobody looks at."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


def _filter_parameters(filters: Iterable[Any]) -> Iterator[str]:
    """What these filters of a list are called in its address."""
    for each in filters:
        if isinstance(each, str):
            yield f"{each}__exact"
        elif isinstance(each, tuple):
            yield from (f"{each[0]}__id__exact", f"{each[0]}__isnull")  # that row, or none
        else:
            yield each.parameter_name


def _address_without(request: HttpRequest, names: Iterable[str]) -> str:
    """The address that was asked for, without these parameters."""
    query = request.GET.copy()
    for name in names:
        del query[name]
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _narrowest(about: dict[str, str]) -> dict[str, str]:
    """The one field of an event that names the row itself."""
    for name in ("token", "authorization", "client", "person", "fhir_server"):
        if about.get(name):
            return {name: about[name]}
    return {}


def _changed_fields(message: Any) -> str:
    """Which fields changed, by name; never their values."""
    parts = message if isinstance(message, list) else []
    names = [field for part in parts for about in part.values() for field in about.get("fields", [about.get("name")])]
    return ", ".join(str(name) for name in names if name)
