"""How many statements each endpoint of the machines' side runs, to the statement: a new one on the hot path is seen."""

import asyncio
import re
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper

from introspection import batched_lookup
from oauth.http.lane import Lane
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Grant, Issue, MakeClient, MakeResourceServer
from tests.signing import assertion_form, jwks, pair
from tests.waiting import wait_until

_TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def statements(app: App, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verb and table of every statement that a writer or the reader runs from now on."""
    app.get("/o/introspect")  # before a process answers its first request it checks the database
    seen: list[str] = []
    execute = CursorWrapper.execute

    def counted(self: CursorWrapper, sql: Any, params: Any = None) -> Any:
        if not str(sql).startswith(_TRANSACTION):
            seen.append(_told(str(sql)))
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", counted)
    for reader in (batched_lookup.PostgreSQLReader, batched_lookup.SQLiteReader):
        monkeypatch.setattr(reader, "_rows", _counted(reader._rows, seen))
    monkeypatch.setattr(Lane, "run", _counted_lane(Lane.run, seen))
    return seen


def _counted(rows: Any, seen: list[str]) -> Any:
    def read(self: Any, *arguments: Any) -> Any:
        seen.append("SELECT gathered")
        return rows(self, *arguments)

    return read


def _counted_lane(run: Any, seen: list[str]) -> Any:
    async def counted(self: Any, *asked: Any) -> Any:
        seen.extend("gathered " + text.split()[0] for text, _ in asked if not text.startswith(_TRANSACTION))
        return await run(self, *asked)

    return counted


def _told(sql: str) -> str:
    while sql != (outer := re.sub(r"\([^()]*\)", " ", sql)):  # what stands in brackets is no statement of its own
        sql = outer
    words = sql.split()
    verb = words[0]
    place = {"SELECT": "FROM", "INSERT": "INTO", "DELETE": "FROM"}.get(verb, verb)
    return f"{verb} {words[words.index(place) + 1]}"


# rows and their locks, seats, the tokens that lose theirs, all that is written
_EXCHANGED_TOGETHER = ["gathered SELECT", "gathered INSERT", "gathered SELECT", "gathered WITH"]


def test_a_code_exchange(app: App, grant: Grant, statements: list[str]) -> None:
    made = grant()
    statements.clear()

    response = app.post("/o/token", data=made.exchange())

    assert response.status_code == 200
    alone = [
        "SELECT oauth_client",
        "UPDATE oauth_code",
        "SELECT oauth_authorization",
        "INSERT oauth_seat",
        "SELECT oauth_accesstoken",
        "INSERT oauth_accesstoken",
        "INSERT audit_outbox",
    ]
    assert statements == (_EXCHANGED_TOGETHER if connection.vendor == "postgresql" else alone)


def test_an_exchange_that_may_be_refreshed_locks_the_authorization_before_the_seat_as_a_flagged_refresh_does(
    app: App, grant: Grant, make_client: MakeClient, statements: list[str]
) -> None:
    scope = "launch/patient patient/*.rs offline_access"
    client = make_client("secret", grants="authorization_code refresh_token", scope=scope)
    made = grant(client, scope=scope)
    statements.clear()

    response = app.post("/o/token", data=made.exchange(), headers=basic(client.client_id, SECRET))

    assert response.status_code == 200
    alone = [
        "SELECT oauth_client",
        "UPDATE oauth_code",
        "SELECT oauth_authorization",
        "UPDATE oauth_authorization",
        "INSERT oauth_seat",
        "SELECT oauth_accesstoken",
        "INSERT oauth_accesstoken",
        "INSERT audit_outbox",
        "INSERT oauth_refreshtoken",
    ]
    assert statements == (_EXCHANGED_TOGETHER if connection.vendor == "postgresql" else alone)


def test_an_exchange_that_supersedes_costs_the_same(app: App, grant: Grant, statements: list[str]) -> None:
    first = grant()
    app.post("/o/token", data=first.exchange())
    counts = []
    for _ in range(3):
        made = grant(first.client, first.person)
        statements.clear()
        app.post("/o/token", data=made.exchange())
        counts.append(len(statements))

    assert counts == [4 if connection.vendor == "postgresql" else 7] * 3


def test_client_credentials_cost_the_same_however_often_but_for_the_first_time(
    app: App, make_client: MakeClient, statements: list[str]
) -> None:
    fields = {"grants": "client_credentials", "redirect_uris": "", "scope": "system/*.rs", "backend_by_secret": 1}
    service = basic(make_client("secret", **fields).client_id, SECRET)
    counted = []
    for scope in ("system/*.rs", "system/Patient.r", "system/*.rs"):
        statements.clear()
        response = app.post("/o/token", data={"grant_type": "client_credentials", "scope": scope}, headers=service)
        assert response.status_code == 200
        counted.append(list(statements))

    key = pair("ES384")
    signer = make_client("keys", **fields, jwks=jwks(key))
    form = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    app.post("/o/token", data={**form, **assertion_form(key.assertion(signer.client_id))})
    statements.clear()
    app.post("/o/token", data={**form, **assertion_form(key.assertion(signer.client_id))})
    signed = list(statements)

    first, *later = counted
    if connection.vendor == "postgresql":
        gathered = ["gathered SELECT", "gathered INSERT", "gathered SELECT", "gathered WITH"]
        assert later == [gathered] * 2
        assert signed == ["gathered SELECT", "gathered INSERT", *gathered]
        assert first.pop(0) == "gathered SELECT"
        later = []
    else:
        assert signed.pop(1) == "INSERT oauth_assertionid"
        assert signed == later[0]
    assert first.pop(2) == "INSERT oauth_authorization"
    assert [first, *later] == [
        [
            "SELECT oauth_client",
            "SELECT oauth_client",
            "SELECT oauth_authorization",
            "INSERT oauth_seat",
            "SELECT oauth_accesstoken",
            "INSERT oauth_accesstoken",
            "INSERT audit_outbox",
        ]
    ] * (1 + len(later))


@pytest.fixture
def caller(make_resource_server: MakeResourceServer) -> dict[str, str]:
    """The credentials of a resource server of the base, whose word about addresses is taken."""
    client = make_resource_server()
    client.protects.update(tells_addresses=1)
    return basic(client.client_id, SECRET)


@pytest.fixture
def used(app: App, issue: Issue, caller: dict[str, str], statements: list[str]) -> str:
    """A live token that has just been used from 203.0.113.5; the use is noted."""
    from oauth.models import Authorization

    answer = issue()
    rows = Authorization.objects.filter(pk=answer["granted"].authorization.pk)
    app.post("/o/introspect", data={"token": answer["access_token"], "__client_ip": "203.0.113.5"}, headers=caller)
    assert wait_until(lambda: not rows.filter(used_at=0).exists())
    statements.clear()
    return str(answer["access_token"])


@pytest.mark.parametrize("address", ["203.0.113.5", "", "::ffff:203.0.113.5"])
def test_introspection_of_a_live_token_is_one_read(
    app: App, used: str, caller: dict[str, str], statements: list[str], address: str
) -> None:
    answer = app.post("/o/introspect", data={"token": used, "__client_ip": address}, headers=caller)

    assert answer.json()["active"] is True
    assert statements == ["SELECT gathered"]


def test_the_first_use_is_one_statement_more_and_is_noted_while_nobody_waits(
    app: App, issue: Issue, caller: dict[str, str], used: str, statements: list[str]
) -> None:
    token, later = issue()["access_token"], issue()["access_token"]
    statements.clear()

    app.post("/o/introspect", data={"token": token, "__client_ip": "203.0.113.5"}, headers=caller)
    bound, noted = "UPDATE oauth_authorization", "UPDATE oauth_authorization"
    assert wait_until(lambda: len(statements) >= 3)
    app.post("/o/introspect", data={"token": later, "__client_ip": "203.0.113.5"}, headers=caller)
    assert wait_until(lambda: len(statements) >= 6)  # what is written late is written before what came later

    assert statements == ["SELECT gathered", bound, noted] * 2


def test_who_keeps_coming_from_another_address_costs_one_read(
    app: App, used: str, caller: dict[str, str], statements: list[str]
) -> None:
    form = {"token": used, "__client_ip": "198.51.100.9"}
    app.post("/o/introspect", data=form, headers=caller)
    statements.clear()

    answers = [app.post("/o/introspect", data=form, headers=caller).json() for _ in range(5)]

    assert all(answer["__ip_flag"] for answer in answers)
    assert statements == ["SELECT gathered"] * 5


def test_introspection_of_garbage_is_one_read_more_on_postgresql_and_of_an_unknown_jwt_another(
    app: App, caller: dict[str, str], statements: list[str], settings: Any
) -> None:
    """Outside development: there a developer hears whether it is a refresh token.

    On PostgreSQL what is not among the tokens that may live is sought in all partitions.
    """
    settings.SMARTAUTH_DEV = False
    app.post("/o/introspect", data={"token": "garbage"}, headers=caller)
    garbage = list(statements)
    statements.clear()

    app.post("/o/introspect", data={"token": "e30.eyJqdGkiOiJ1bmtub3duIn0.AAAA"}, headers=caller)

    sought = ["SELECT gathered"] * (2 if connection.vendor == "postgresql" else 1)
    assert garbage == sought
    assert statements == [*sought, "SELECT oauth_accesstoken"]


def test_requests_that_arrive_together_are_read_together(
    app: App, used: str, caller: dict[str, str], statements: list[str]
) -> None:
    async def together() -> list[Any]:
        one = app._client.post
        return await asyncio.gather(*(one("/o/introspect", data={"token": used}, headers=caller) for _ in range(50)))

    answers = app.run(together())

    assert [answer.json()["active"] for answer in answers] == [True] * 50
    assert set(statements) == {"SELECT gathered"}
    assert len(statements) <= 10


def test_revocation(app: App, issue: Issue, statements: list[str]) -> None:
    made = issue()
    form = {"token": made["access_token"], "client_id": made["granted"].client.client_id}
    statements.clear()

    first = app.post("/o/revoke", data=form)
    ended = list(statements)
    statements.clear()
    again = app.post("/o/revoke", data=form)

    assert (first.status_code, again.status_code) == (200, 200)
    if connection.vendor == "postgresql":
        assert ended == ["gathered SELECT", "gathered WITH"]
    else:
        assert ended == ["SELECT oauth_client", "UPDATE oauth_accesstoken", "INSERT audit_outbox"]
    looked = ["gathered SELECT"] if connection.vendor == "postgresql" else []
    assert statements[: len(looked)] == looked
    assert len(statements) == len(looked) + 5  # what has ended before is written again, for a standby


def test_a_refresh_costs_the_same_however_often(
    app: App, issue: Issue, make_client: MakeClient, statements: list[str]
) -> None:
    scope = "offline_access patient/*.rs"
    made = issue(make_client(grants="authorization_code refresh_token", scope=scope), scope=scope)
    form = {"grant_type": "refresh_token", "client_id": made["granted"].client.client_id}
    counted = []
    for _ in range(3):
        statements.clear()
        made = app.post("/o/token", data={**form, "refresh_token": made["refresh_token"]}).json()
        counted.append(list(statements))

    alone = [
        "SELECT oauth_client",
        "UPDATE oauth_refreshtoken",
        "SELECT oauth_authorization",
        "UPDATE oauth_seat",
        "SELECT oauth_accesstoken",
        "INSERT oauth_accesstoken",
        "INSERT audit_outbox",
        "INSERT oauth_refreshtoken",
    ]
    gathered = ["gathered SELECT", "gathered WITH"]
    assert counted[0] == (gathered if connection.vendor == "postgresql" else alone)
    assert counted[0] == counted[1] == counted[2]
