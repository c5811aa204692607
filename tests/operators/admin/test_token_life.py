"""The life of a token as an operator reads it, its state the one that introspection would find; never the token."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from smart.explanation import State
from smart.time_units import to_datetime
from tests.fixture_types import Grant, MakeToken
from tests.operators.admin.conftest import Operator

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
MINUTE = 60_000_000
CSRF = '<input type="hidden" name="csrfmiddlewaretoken" value="[^"]*">'


def changed(row: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


STATES: dict[str, Callable[[Any], None]] = {
    "": lambda token: None,
    "revoked": lambda token: changed(token, revoked_at=1, revoked_for="tampered"),
    "ended": lambda token: changed(token.authorization, epoch=1, ended_at=1, ended_for="operator"),
    "client-disabled": lambda token: changed(token.authorization.client, enabled=0, epoch=1),
    "client-ended": lambda token: changed(token.authorization.client, epoch=1),
    "person-stopped": lambda token: changed(token.authorization.user, suspended_at=1, epoch=1),
    "person-ended": lambda token: changed(token.authorization.user, epoch=1),
    "fhir-server-ended": lambda token: changed(token.authorization, fhir_server_epoch=-1),
    "superseded": lambda token: changed(token.seat, latest_number=2),
    "expired": lambda token: changed(token, expires_at=token.issued_at - 1),
}


@pytest.mark.parametrize("reason", STATES, ids=lambda reason: reason or "live")
@pytest.mark.parametrize("also_expired", [False, True])
def test_the_database_and_the_rules_say_the_same(make_token: MakeToken, reason: str, also_expired: bool) -> None:
    from accounts import clock
    from oauth.models import AccessToken, liveness

    token = make_token()
    STATES[reason](token)
    if also_expired:
        changed(token, expires_at=1)
    now = clock.now()
    rows = AccessToken.objects.filter(pk=token.pk)

    judged = liveness.with_dead_reason(rows.select_related(*liveness.TOKEN_FACTS), now=now).get()

    expected = reason or ("expired" if also_expired else "")
    assert judged.dead_reason == (liveness.dead_reason(judged, now=now) or "") == expected
    assert liveness.live(rows, now=now).exists() is (expected == "")


@pytest.mark.parametrize("reason", [name for name in STATES if name not in {"revoked", "superseded", "expired"}])
def test_authorizations_are_judged_alike_in_both_places(make_token: MakeToken, reason: str) -> None:
    from oauth.models import Authorization, liveness

    token = make_token()
    STATES[reason](token)
    rows = Authorization.objects.filter(pk=token.authorization.pk).select_related("client", "user", "fhir_server")

    found = liveness.with_unusable_reason(rows).get()

    assert found.unusable_reason == (liveness.unusable_reason(found) or "") == reason


def test_a_backend_service_has_no_person_who_could_end(make_token: MakeToken, grant: Grant) -> None:
    from accounts import clock
    from oauth.models import AccessToken, liveness

    granted = grant()
    changed(granted.authorization, user=None)
    token = make_token(granted)

    found = liveness.with_dead_reason(
        AccessToken.objects.filter(pk=token.pk).select_related(*liveness.TOKEN_FACTS), now=clock.now()
    ).get()

    assert found.dead_reason == (liveness.dead_reason(found, now=clock.now()) or "") == ""


@pytest.mark.parametrize(
    ("reason", "title", "sentence"),
    [
        ("", "Live: token", "It is alive. It expires in"),
        ("revoked", "Revoked: token", "It came back changed, so we ended the real one."),
        ("ended", "Ended: token", "An operator ended it."),
        ("client-disabled", "Ended: token", "The client was disabled."),
        ("person-stopped", "Ended: token", "The person was suspended."),
        ("superseded", "Superseded: token", "A newer token took its place."),
        ("expired", "Expired: token", "Its time ran out."),
    ],
)
def test_the_page_says_in_title_and_sentence_what_became_of_it(
    operator: Operator, make_token: MakeToken, reason: str, title: str, sentence: str
) -> None:
    token = make_token()
    STATES[reason](token)

    page = operator.get(f"oauth/accesstoken/{token.pk}/change/").content.decode()

    assert f"<title>{title} {token} - smartauth</title>" in page
    assert sentence in page
    assert ('<span class="tag tag-good">' in page) is (reason == "")
    assert ("Ended on <time" in page) is (
        reason in {"revoked", "ended", "expired"}
    )  # of the others no time is kept here
    assert ("The app gets 401 invalid_token." in page) is (reason != "")


@pytest.mark.requirement("SB-04")
def test_no_page_shows_the_token_its_digests_or_its_jti(operator: Operator, make_token: MakeToken) -> None:
    token = make_token(signed_digest="5" * 64, signature_digest="6" * 64, claims='{"sub": "never-on-a-page"}')
    pages = {
        f"oauth/accesstoken/{token.pk}/change/": str(token),
        "oauth/accesstoken/": str(token),
        f"oauth/authorization/{token.authorization.pk}/change/": str(token.authorization),
    }

    for path, shown in pages.items():
        page = operator.page(path)
        assert shown in page
        for hidden in (token.digest, str(token.jti), "5" * 64, "6" * 64, "never-on-a-page"):
            assert hidden not in page


def test_the_history_joins_the_outbox_and_the_trail_and_counts_runs(operator: Operator, make_token: MakeToken) -> None:
    from audit import shipping
    from audit.event_kinds import EventKind
    from audit.trail import Event, record_events
    from oauth.explain.history import history_lines, token_events

    token = make_token()
    record_events(Event(kind=EventKind.ISSUED, at=10 * MINUTE, token=str(token), address="192.0.2.7"))
    shipping.ship()
    record_events(
        *(Event(kind=EventKind.INTROSPECTION_REFUSED, at=(11 + more) * MINUTE, token=str(token)) for more in range(3))
    )

    lines = history_lines(token_events(token))

    assert [(line["what"], line["count"]) for line in lines] == [("Issued", 1), ("Introspection refused", 3)]
    assert "3 times until" in operator.get(f"oauth/accesstoken/{token.pk}/change/").content.decode()


def test_the_page_offers_its_endings_and_links(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()

    page = operator.get(f"oauth/accesstoken/{token.pk}/change/").content.decode()

    person = token.authorization.user
    assert person
    for label in ("End this token", f"End authorization {token.authorization}", f"End everything of {person.username}",
                  f"End everything of {token.authorization.client.client_id}"):  # fmt: skip
        assert label in page
    assert f"/admin/audit/securityevent/?token={token}" in page


def test_each_of_its_endings_asks_about_the_row_of_the_token(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()
    authorization = token.authorization
    assert authorization.user

    page = operator.page(f"oauth/accesstoken/{token.pk}/change/")
    field = '<input type="hidden" name="([^"]*)" value="([^"]*)">'
    forms = re.findall(f'<form method="post" action="/admin/([^"]*)">{CSRF}{field}{field}', page)
    asked = [operator.post(path, {action: what, row: pk}).context for path, action, what, row, pk in forms]

    assert [(one["title"], one["rows"]) for one in asked] == [
        ("End these tokens?", [token]),
        ("End these authorizations?", [authorization]),
        ("End all access of these people?", [authorization.user]),
        ("End all access of these clients?", [authorization.client]),
    ]


def test_the_page_draws_the_lives_and_says_which_rules_are_kept(
    operator: Operator, grant: Grant, make_token: MakeToken
) -> None:
    granted = grant()
    older, token = make_token(granted), make_token(granted)

    shown = operator.get(f"oauth/accesstoken/{token.pk}/change/").context

    assert [(bar["number"], bar["live"]) for bar in shown["bars"]["bars"]] == [(str(older), False), (str(token), True)]
    assert shown["outcomes"]
    assert {outcome.state for outcome in shown["outcomes"]} == {State.PASSED}


@pytest.mark.parametrize(("left", "seconds"), [(90_999_999, 90), (1_000_000, 1), (1, 1)])
def test_a_live_token_is_told_with_its_whole_seconds(make_token: MakeToken, left: int, seconds: int) -> None:
    from accounts import clock
    from oauth.ending.first_cause import token_with_cause
    from operators.admin import token_life

    now = clock.now()
    row = token_with_cause(now=now, pk=make_token(expires_at=now + left).pk)

    assert token_life.why(row, now) == f"It is alive. It expires in {seconds} seconds."


def test_the_page_shows_the_newest_of_its_authorization_and_itself(
    operator: Operator, grant: Grant, make_token: MakeToken
) -> None:
    granted = grant()
    tokens, other = [make_token(granted) for _ in range(10)], make_token()

    shown = operator.get(f"oauth/accesstoken/{tokens[0].pk}/change/").context

    family = [each["row"].pk for each in shown["family"]]
    assert family == [tokens[0].pk, *(token.pk for token in tokens[2:])]
    assert [each["issued"] for each in shown["family"]] == [
        to_datetime(each["row"].issued_at) for each in shown["family"]
    ]
    assert [each["this"] for each in shown["family"]] == [True] + [False] * 8
    assert [each["why"] for each in shown["family"]] == ["superseded"] * 8 + ["live"]
    assert [each["ended"] is None for each in shown["family"]] == [False] * 8 + [True]
    assert other.pk not in family


def test_of_a_service_there_is_no_person_whose_access_could_end(operator: Operator, make_token: MakeToken) -> None:
    token = make_token()
    changed(token.authorization, user=None)

    page = operator.page(f"oauth/accesstoken/{token.pk}/change/")

    assert page.count("End everything of") == 1
    assert "no-store" in operator.get(f"oauth/accesstoken/{token.pk}/change/")["Cache-Control"]


@pytest.mark.parametrize("number", ["999999999", "0", "x", "1' OR 1=1"])
def test_a_token_that_never_was_is_not_found(operator: Operator, number: str) -> None:
    assert operator.get(f"oauth/accesstoken/{number}/change/").status_code in {302, 404}


def test_numbers_lead_back_to_their_rows() -> None:
    from oauth.models import parse_reference, public_reference

    rows = [1, 31, 32, 12_345_678, 2**40 - 1]
    assert [parse_reference(public_reference(row)) for row in rows] == rows
    assert parse_reference("2222-222") is parse_reference("") is parse_reference("0OIL-2222") is None
    assert parse_reference(public_reference(77).lower()) == 77


@pytest.mark.requirement("RV-05", "PR-06")
def test_an_operator_sees_the_last_use_and_every_other_address(make_token: MakeToken, operator: Operator) -> None:
    from oauth.models import AddressChange

    token, at = make_token(), 1_795_230_720_000_000
    changed(token.authorization, use_address="203.0.113.5", used_at=at, used_from="203.0.113.6", flagged_at=at)
    AddressChange.objects.create(authorization=token.authorization, address="198.51.100.9", noted_at=at)

    life = operator.get(f"oauth/accesstoken/{token.pk}/change/").content.decode()
    row = operator.get(f"oauth/authorization/{token.authorization.pk}/change/").content.decode()

    for page in (life, row):
        assert "203.0.113.5" in page
        assert "21 Nov 2026, 03:12:00</time>, from 203.0.113.6" in page
    assert '198.51.100.9, <time datetime="2026-11-21T03:12:00+00:00">' in row
