"""Statements whose columns are named once: what stands beside a field is what the field holds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_type_hints

import pytest
from django.db import IntegrityError
from django.db.models import BigIntegerField, BooleanField

from accounts import clock
from introspection.token_lookup import LookupRow
from oauth.clients.authentication import SecretClient
from oauth.clients.signed_assertion import Signer
from oauth.ending.tokens import EndedToken
from oauth.models import AccessToken, AddressChange, Authorization, Client, sql
from oauth.tokens.authorization_code import ConsumedCode
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.refresh_reuse import UsedRefreshToken
from oauth.tokens.refresh_token import ConsumedRefreshToken
from oauth.tokens.supersede import TakenNumbers
from tests.conftest import App
from tests.fixture_types import Grant, MakeClient

COLUMN = re.compile(r"(?:COALESCE\()?(?:(\w)\.)?(\w+)(?:, \S+\))?")


class Renamed(NamedTuple):
    """Columns of a client under other names and in another order than the table has them."""

    life: Annotated[int, "c.access_token_seconds"]
    shout: Annotated[str, "UPPER(c.maker)"]
    pk: Annotated[int, "c.id"]


@dataclass(frozen=True, slots=True)
class Enabled:
    maker: Annotated[str, "maker"]


_CLIENTS = sql.select(Renamed, "FROM oauth_client c WHERE c.maker = %s ORDER BY c.id")


def test_the_columns_are_those_beside_the_fields_in_their_order() -> None:
    assert sql.columns(Renamed) == "c.access_token_seconds AS life, UPPER(c.maker) AS shout, c.id AS pk"


def test_each_field_of_a_row_holds_the_expression_beside_it(make_client: MakeClient) -> None:
    client = make_client("none", maker="one maker", access_token_seconds=77)

    assert sql.one(_CLIENTS, ["one maker"]) == Renamed(life=77, shout="ONE MAKER", pk=client.pk)


def test_all_rows_come_in_the_order_of_the_statement(make_client: MakeClient) -> None:
    clients = [make_client("none", maker="many of them") for _ in range(3)]

    assert [row.pk for row in sql.many(_CLIENTS, ["many of them"])] == [client.pk for client in clients]


@pytest.mark.django_db
def test_where_there_is_no_row_one_and_value_say_none_and_get_raises() -> None:
    assert sql.one(_CLIENTS, ["nobody"]) is None
    assert sql.value("SELECT id FROM oauth_client WHERE maker = %s", ["nobody"]) is None
    with pytest.raises(LookupError):
        sql.get(_CLIENTS, ["nobody"])


def test_a_change_returns_rows_of_its_class(make_client: MakeClient) -> None:
    client = make_client("none", maker="before")
    change = sql.returning(Enabled, "UPDATE oauth_client SET maker = %s WHERE id = %s")

    assert sql.one(change, ["after", client.pk]) == Enabled("after")
    assert Client.objects.get(pk=client.pk).maker == "after"


def test_an_insert_puts_each_value_beside_the_name_of_its_column_and_says_the_new_key(grant: Grant) -> None:
    authorization = grant().authorization.pk

    pk = sql.insert("oauth_addresschange", noted_at=7, address="192.0.2.7", authorization_id=authorization)

    row = AddressChange.objects.get(pk=pk)
    assert (row.authorization_id, row.address, row.noted_at) == (authorization, "192.0.2.7", 7)


def test_an_insert_that_breaks_a_rule_raises_what_django_raises(grant: Grant) -> None:
    values: dict[str, Any] = {
        "authorization_id": grant().authorization.pk, "address": "192.0.2.8", "noted_at": clock.now(),
    }  # fmt: skip
    sql.insert("oauth_addresschange", **values)

    with pytest.raises(IntegrityError):
        sql.insert("oauth_addresschange", **values)


def plain_columns(row: type, table: str) -> dict[str, str]:
    """The fields of this class that are a column of that table, each with its column."""
    beside = {name: hint.__metadata__[0] for name, hint in get_type_hints(row, include_extras=True).items()}
    return {name: text.removeprefix(f"{table}.") for name, text in beside.items() if text.startswith(f"{table}.")}


def distinguish(row: Any, columns: Iterable[str]) -> None:
    """Gives each number and text among these columns a value that no other has."""
    fields = [field for field in row._meta.concrete_fields if field.column in columns and not field.primary_key]
    plain = [field for field in fields if not field.is_relation and not isinstance(field, BooleanField)]
    for number, field in enumerate(plain, start=1000):
        setattr(row, field.attname, number if isinstance(field, BigIntegerField) else f"text {number}")
        type(row)._default_manager.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname)})


def assert_each_holds_its_column(found: Any, rows: dict[str, Any]) -> None:
    for table, row in rows.items():
        attributes = {field.column: field.attname for field in row._meta.concrete_fields}
        for field, column in plain_columns(type(found), table).items():
            assert getattr(found, field) == getattr(row, attributes[column]), field


def test_every_field_of_an_authorizations_state_holds_its_column(grant: Grant) -> None:
    authorization = Authorization.objects.select_related("client", "fhir_server").get(pk=grant().authorization.pk)

    rows: dict[str, Any] = {"a": authorization, "c": authorization.client}
    for table, row in rows.items():
        distinguish(row, plain_columns(AuthorizationState, table).values())

    state = AuthorizationState.of(authorization.pk)

    assert_each_holds_its_column(state, {**rows, "s": authorization.fhir_server})


def test_every_field_of_a_looked_up_token_holds_its_column(app: App, grant: Grant, make_client: MakeClient) -> None:
    from introspection.batched_lookup import batched_lookup
    from smart.digests import sha256_hex

    made, caller = grant(), make_client("secret")
    issued = app.post("/o/token", data=made.exchange()).json()["access_token"]
    token = AccessToken.objects.select_related("authorization__client", "seat").get(digest=sha256_hex(issued))
    rows: dict[str, Any] = {"t": token, "a": token.authorization, "k": token.authorization.client, "s": token.seat}
    for table, row in rows.items():
        distinguish(row, plain_columns(LookupRow, table).values())

    async def looked_up() -> LookupRow:
        return await batched_lookup().find(sha256_hex(issued), caller.client_id)

    found = app.run(looked_up())

    assert_each_holds_its_column(found, {**rows, "c": caller})


ROWS = (
    AuthorizationState,
    LookupRow,
    SecretClient,
    Signer,
    ConsumedCode,
    ConsumedRefreshToken,
    UsedRefreshToken,
    EndedToken,
    TakenNumbers,
)
# the words with which a field may say whose column it holds, by the alias of its table
WHOSE = {
    "a": ("granted", "authorization"),
    "c": ("client", "caller"),
    "k": ("client", "signing"),
    "r": ("id_token",),
    "s": ("server", "fhir", "fhir_server", "seat"),
    "f": ("fhir_server", "fetched_keys"),
    "t": ("token",),
    "u": ("user",),
}
NAMED_OTHERWISE = {
    AuthorizationState: {
        "pk": "a.id",
        "client_pk": "c.id",
        "fhir_server_pk": "s.id",
        "user_pk": "COALESCE(u.id, 0)",
        "client_token_seconds": "c.access_token_seconds",
        "server_token_seconds": "s.access_token_seconds",
        "user_suspended_at": "COALESCE(u.stopped_at, 0)",
        "fhir_user": "COALESCE(i.resource, '')",
        "signing_key": "k.private_encrypted",
        "id_token_key": "r.private_encrypted",
        "requested_scope": "a.asked_scope",
    },
    LookupRow: {
        "token": "t.id",
        "authorization": "a.id",
        "role": "r.id",
        "user_suspended_at": "u.stopped_at",
        "caller_secret": "c.secret_digest",
        "caller_old_secret": "c.old_secret_digest",
    },
    SecretClient: {"pk": "c.id"},
    Signer: {"pk": "c.id", "fetched_from": "COALESCE(f.jwks_uri, '')", "fetched": "COALESCE(f.keys, '')"},
    ConsumedCode: {"pk": "id", "authorization_pk": "authorization_id"},
    ConsumedRefreshToken: {"pk": "id", "authorization_pk": "authorization_id", "launch_number": "launch"},
    UsedRefreshToken: {"authorization_pk": "authorization_id", "launch_number": "launch"},
    EndedToken: {"pk": "id", "authorization_pk": "authorization_id"},
    TakenNumbers: {"seat_id": "id", "token_number": "latest", "launch_number": "launches"},
}


def beside_fields(row: type) -> dict[str, str]:
    """Each field whose expression is one column: its expression."""
    beside = {name: hint.__metadata__[0] for name, hint in get_type_hints(row, include_extras=True).items()}
    return {name: text for name, text in beside.items() if COLUMN.fullmatch(text)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_a_field_is_called_as_the_column_that_it_stands_beside_or_listed_with_it(row: type) -> None:
    wrong = []
    for field, text in beside_fields(row).items():
        table, column = COLUMN.sub(r"\1", text), COLUMN.sub(r"\2", text)
        names = {column, column.removesuffix("_id"), *(f"{whose}_{column}" for whose in WHOSE.get(table, ()))}
        if field not in names and NAMED_OTHERWISE[row].get(field) != text:
            wrong.append((field, text))

    assert wrong == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_no_two_fields_of_a_row_read_the_same_column(row: type) -> None:
    beside = [hint.__metadata__[0] for hint in get_type_hints(row, include_extras=True).values()]

    assert len(set(beside)) == len(beside)


def test_values_are_numbered_and_a_percent_sign_stays_one() -> None:
    assert sql.numbered("SELECT %s, '%%s' WHERE a %% 2 = 0 OR b = %s") == ("SELECT $1, '%s' WHERE a % 2 = 0 OR b = $2")
