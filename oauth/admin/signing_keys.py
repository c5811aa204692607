"""Signing keys, read only: which sign, which wait, which are over. Neither half is shown here."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from oauth.admin.filters import by
from oauth.admin.lists import ReadOnly
from oauth.admin.shown import tag, when
from oauth.models import SigningKey


def _in(state: str) -> Callable[[Any], Any]:
    return lambda found: found.filter(state=state)


STATE = by("state", "state", {
    state.value: (state.label, _in(state)) for state in SigningKey.State
})  # fmt: skip
TONES = {SigningKey.State.ACTIVE: "good", SigningKey.State.NEXT: "warn"}


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnly):
    list_display = ("kid", "algorithm", "shown_state", "since")
    list_filter = (STATE,)
    ordering = ("algorithm", "-pk")
    fields = ("kid", "algorithm", "shown_state", "made", "since")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset, False

    @admin.display(description="state")
    def shown_state(self, row: SigningKey) -> SafeString:
        return tag(row.get_state_display().lower(), TONES.get(SigningKey.State(row.state), ""))

    @admin.display(description="made")
    def made(self, row: SigningKey) -> SafeString | str:
        return when(row.created_at)

    @admin.display(description="since")
    def since(self, row: SigningKey) -> SafeString | str:
        return when(row.retired_at or row.activated_at or row.created_at)
