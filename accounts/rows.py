"""One row by what only one row has."""

from typing import TypeVar

from django.db.models import Model, QuerySet

ModelT = TypeVar("ModelT", bound=Model)


def only_row(found: "QuerySet[ModelT]") -> ModelT | None:
    """The row, None where there is none. Of `first` Django makes an order, which costs more than the look-up."""
    return next(iter(found.order_by()[:1]), None)
