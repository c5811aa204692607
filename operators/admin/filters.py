"""Filters of the operators' lists: no count, no list of everything, and only of what the database computes."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin, RelatedFieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Field, QuerySet
from django.http import HttpRequest

from operators.admin.fields import row_name

SHOWN = 50


class RowFilter(RelatedFieldListFilter):
    """Rows of another table by name, the first SHOWN of them; the rest are found by searching."""

    def __init__(self, field: "Field[Any, Any]", *args: Any, **known: Any) -> None:
        super().__init__(field, *args, **known)
        related: Any = field.related_model
        self.title = related._meta.verbose_name  # as people write it: FHIR server

    def has_output(self) -> bool:
        """Django leaves the filter out where there is nothing to choose, also where an address has chosen."""
        return bool(super().has_output() or self.used_parameters)

    def field_choices(self, field: "Field[Any, Any]", request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Any:
        related: Any = field.related_model
        return [(row.pk, row_name(row)) for row in related._default_manager.order_by("pk")[:SHOWN]]


def filter_by(title_: str, name: str, choices: dict[str, tuple[str, Callable[[Any], Any]]]) -> type[SimpleListFilter]:
    """A filter with a word and a queryset for each choice. Any other value is refused, not ignored."""

    class Choice(SimpleListFilter):
        title, parameter_name = title_, name

        def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
            return [(value, word) for value, (word, _) in choices.items()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            if not (value := self.value()):
                return queryset
            if value not in choices:
                raise IncorrectLookupParameters
            return choices[value][1](queryset)

    return Choice


def filter_by_link(title_: str, name: str, narrow: Callable[[Any, str], Any]) -> type[SimpleListFilter]:
    """A filter by one value out of very many: it comes from a link in the list, and shows only while it is on."""

    class Chosen(SimpleListFilter):
        title, parameter_name = title_, name

        def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
            value = request.GET.get(name, "")
            return [(value, value)] if value else []

        def has_output(self) -> bool:
            return bool(self.value())

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return narrow(queryset, value) if value and "\0" not in value else queryset

    return Chosen
