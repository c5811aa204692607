"""An ending that breaks on the way has not happened: what it changed and what it tells are there together or not."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from accounts import clock
from accounts.models import SignIn, User
from oauth.ending import access, passwords, people, reported_refusals, sessions
from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor, Selection
from oauth.models import AccessToken, Authorization, RefusalCount
from tests.conftest import Granted
from tests.fixture_types import Issue
from tests.oauth.visitor import Visitor

Work = Callable[[Granted, Actor], Any]
Step = tuple[ModuleType, str]


def suspend_two(granted: Granted, actor: Actor) -> None:
    other = User.objects.create(username=f"{granted.person.username}-2")
    people.suspend_all([granted.person, other], actor)


def require_sign_in(granted: Granted, actor: Actor) -> None:
    whose = Selection.matching(user=granted.person)
    people.require_sign_in_and_end([granted.person], whose, actor, EndedFor.INVALIDATED)


def store_password(granted: Granted, actor: Actor) -> None:
    passwords.store_password(User.objects.get(pk=granted.person.pk), actor)


def end_selected(granted: Granted, actor: Actor) -> None:
    access.end(Selection.matching(user=granted.person), actor, EndedFor.OPERATOR)


def report(granted: Granted, actor: Actor) -> None:
    token = AccessToken.objects.select_related("authorization").get(authorization=granted.authorization)
    reported_refusals.record_refusals(token, 403, 1, actor)


# what is done, the step of it that breaks, and at which call of it
BROKEN: dict[str, tuple[Work, Step, int]] = {
    "suspend": (lambda granted, actor: people.suspend(granted.person, actor), (people, "end_every_session"), 1),
    "suspend two": (suspend_two, (people, "end_every_session"), 2),
    "require sign-in": (require_sign_in, (access, "end"), 1),
    "store a password": (store_password, (passwords, "end_every_session"), 1),
    "require a password": (
        lambda granted, actor: passwords.require_new_password(granted.person, actor), (passwords, "record_events"), 1,
    ),
    "end sessions": (
        lambda granted, actor: sessions.end_every_session(granted.person, actor), (sessions, "record_events"), 1,
    ),
    "end what is selected": (end_selected, (access, "record_events"), 1),
    "report refusals": (report, (reported_refusals, "record_events"), 1),
}  # fmt: skip


@pytest.fixture
def signed_in(issue: Issue, visitor: Visitor) -> Granted:
    """A person with an app that has access, and with a session."""
    granted: Granted = issue()["granted"]
    visitor.sign_in(visitor.request("GET", "/login"), granted.person)
    return granted


def state(granted: Granted) -> tuple[Any, ...]:
    fields = ("epoch", "suspended_at", "login_after", "must_change_password", "password")
    return (
        User.objects.get_queryset().filter(pk=granted.person.pk).values_list(*fields).get(),
        Authorization.objects.filter(pk=granted.authorization.pk).values_list("epoch", "ended_at").get(),
        SignIn.objects.filter(user=granted.person).count(),
        RefusalCount.objects.filter(client=granted.client).count(),
    )


@pytest.mark.requirement("SD-05", "HI-08")
@pytest.mark.parametrize(("work", "step", "breaks_at"), BROKEN.values(), ids=BROKEN)
def test_an_ending_that_breaks_on_the_way_has_not_happened(
    signed_in: Granted, monkeypatch: pytest.MonkeyPatch, work: Work, step: Step, breaks_at: int
) -> None:
    before, calls = state(signed_in), list[None]()
    module, name = step
    real = getattr(module, name)

    def breaking(*given: Any, **named: Any) -> Any:
        calls.append(None)
        if len(calls) == breaks_at:
            raise RuntimeError("broken on the way")
        return real(*given, **named)

    monkeypatch.setattr(module, name, breaking)
    with pytest.raises(RuntimeError, match="broken on the way"):
        work(signed_in, Actor(now=clock.now()))

    assert state(signed_in) == before
