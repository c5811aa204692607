"""Statements whose columns are named once: what stands beside a field is what the field holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, get_type_hints

import pytest
from django.db import IntegrityError
from django.db.models import BigIntegerField, BooleanField

from accounts import clock
from introspection.token_lookup import LookupRow
from oauth.clients.authentication import SecretClient, Signer
from oauth.models import AccessToken, AddressChange, Authorization, Client, sql
from oauth.tokens.authorization_state import AuthorizationState
from tests.conftest import App
from tests.fixture_types import Grant, MakeClient


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


@pytest.mark.parametrize("row", [SecretClient, Signer, AuthorizationState, LookupRow], ids=lambda row: row.__name__)
def test_no_two_fields_of_a_row_read_the_same_column(row: type) -> None:
    beside = [hint.__metadata__[0] for hint in get_type_hints(row, include_extras=True).values()]

    assert len(set(beside)) == len(beside)
