"""Signing keys: which sign, which wait, which are over; another may sign, one may be withdrawn. No half is shown."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts import clock
from accounts.address import client_address
from oauth.keys import rotation, signing_keys
from oauth.models import SigningKey
from operators.admin import confirmation
from operators.admin.filters import filter_by
from operators.admin.model_admin import ReadOnlyAdmin, actor
from operators.admin.rendering import tag, time_element


def _in_state(state: str) -> Callable[[Any], Any]:
    return lambda found: found.filter(state=state)


STATE = filter_by("state", "state", {state.value: (state.label, _in_state(state)) for state in SigningKey.State})
TONES = {SigningKey.State.ACTIVE: "good", SigningKey.State.NEXT: "warn"}
ROTATING = (
    "Nothing ends: tokens of these keys verify until they expire. The next keys sign at once.",
    "A server that checks signatures itself and has not fetched the keys since the next one was published refuses "
    "its tokens until it does.",
)
WITHDRAWING = (
    "These keys are not published any more. Servers that check signatures themselves refuse their tokens from the "
    "moment when they fetch the keys again; apps refresh or launch again.",
    "Servers that ask introspection see no difference: it knows each token that was issued, and no forged one.",
)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ("kid", "algorithm", "shown_state", "since", "until")
    list_filter = (STATE,)
    ordering = ("algorithm", "-pk")
    fields = ("kid", "algorithm", "shown_state", "made", "since", "until")
    actions = ("rotate", "withdraw")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset, False

    @admin.display(description="state")
    def shown_state(self, row: SigningKey) -> SafeString:
        if row.withdrawn_at:
            return tag("withdrawn", "bad")
        return tag(row.get_state_display().lower(), TONES.get(SigningKey.State(row.state), ""))

    @admin.display(description="made")
    def made(self, row: SigningKey) -> SafeString | str:
        return time_element(row.created_at)

    @admin.display(description="since")
    def since(self, row: SigningKey) -> SafeString | str:
        return time_element(row.withdrawn_at or row.retired_at or row.activated_at or row.created_at)

    @admin.display(description="published until")
    def until(self, row: SigningKey) -> SafeString | str:
        return time_element(row.withdrawn_at or (row.retired_at and row.retired_at + signing_keys.PUBLISHED_AFTER))

    def actions_for(self, row: SigningKey) -> Sequence[str]:
        if row.withdrawn_at:
            return ()
        return ("rotate", "withdraw") if row.state == SigningKey.State.ACTIVE else ("withdraw",)

    @admin.action(description="Rotate now")
    def rotate(self, request: HttpRequest, queryset: QuerySet[SigningKey]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return confirmation.page(
                request, self, queryset, title="Rotate now?", button="Rotate now", ending=_warnings(queryset)
            )
        self._each(request, queryset, lambda row, by: rotation.rotate(row.kid, urgent=True, by=by), "Rotated")
        return None

    @admin.action(description="Withdraw")
    def withdraw(self, request: HttpRequest, queryset: QuerySet[SigningKey]) -> HttpResponse | None:
        if not confirmation.is_confirmed(request):
            return confirmation.page(
                request,
                self,
                queryset,
                title="Withdraw these keys?",
                button="Withdraw",
                ending=WITHDRAWING,
                lead="For a key that somebody else may have.",
            )
        self._each(request, queryset, lambda row, by: rotation.withdraw(row.kid, by=by), "Withdrawn")
        return None

    def _each(self, request: HttpRequest, queryset: QuerySet[SigningKey], do: Callable[..., object], done: str) -> None:
        by = {"operator": actor(request).operator, "address": client_address(request)}
        for row in queryset:
            try:
                do(row, by)
            except rotation.NotRotated as refusal:
                self.message_user(request, f"Nothing has changed: {refusal}.", messages.WARNING)
            else:
                self.message_user(request, f"{done}: {row.kid}.")


def _warnings(queryset: QuerySet[SigningKey]) -> list[str]:
    coming = SigningKey.objects.filter(state=SigningKey.State.NEXT, algorithm__in=queryset.values("algorithm"))
    waits = [(row.kid, rotation.seconds_until_announced(row, now=clock.now())) for row in coming]
    return [*ROTATING, *(f"{kid} was to be published for another {wait} seconds first." for kid, wait in waits if wait)]
