"""Gathered look-ups: many requests, one statement, each its own row."""

import asyncio
from typing import Any

import pytest
from django.db.models import F

from introspection.batched_lookup import BatchedLookup, batched_lookup
from introspection.token_lookup import LookupRow
from oauth.models import AccessToken
from smart.digests import sha256_hex
from smart.time_units import DAY
from tests.conftest import App
from tests.fixture_types import Issue, MakeClient


async def _found(*callers: str) -> list[LookupRow]:
    return await asyncio.gather(*(batched_lookup().find("no token", caller) for caller in callers))


@pytest.mark.parametrize("odd", ['"', "\\", '\\"', "{", "}", ",", '","', "NULL", "'", " ", "é", "%s", "\n"])
def test_a_caller_is_found_whatever_characters_its_id_is_made_of(app: App, make_client: MakeClient, odd: str) -> None:
    client = make_client("secret", client_id=f"{odd}{make_client().client_id}{odd}")

    nobody, found, also_nobody = app.run(_found("", client.client_id, odd))

    assert found.caller_secret == client.secret_digest
    assert nobody.caller_secret is also_nobody.caller_secret is None


def test_requests_that_wait_together_are_each_given_their_own_row(app: App, make_client: MakeClient) -> None:
    clients: list[Any] = [make_client("secret") for _ in range(5)]

    found = app.run(_found(*(client.client_id for client in clients)))

    assert [each.caller_secret for each in found] == [client.secret_digest for client in clients]


def test_tokens_of_any_age_are_found_together_each_in_its_place(app: App, issue: Issue) -> None:
    """Those that may live are sought first; one with an unusual life, from another server's clock, is found as well."""
    tokens = [issue()["access_token"] for _ in range(4)]
    ages = (0, -100 * DAY, 0, 100 * DAY)
    for token, age in zip(tokens, ages, strict=True):
        row = AccessToken.objects.filter(digest=sha256_hex(token))
        row.update(expires_at=F("expires_at") + age)

    async def together() -> list[LookupRow]:
        asked = ["no token", tokens[1], tokens[0], "none either", tokens[3], tokens[2]]
        return await asyncio.gather(*(batched_lookup().find(sha256_hex(each), "") for each in asked))

    found = app.run(together())

    keys = [AccessToken.objects.get(digest=sha256_hex(token)).pk for token in tokens]
    assert [each.token for each in found] == [None, keys[1], keys[0], None, keys[3], keys[2]]


@pytest.mark.postgresql
@pytest.mark.requirement("E114")
def test_a_server_that_takes_writes_no_more_is_left_for_one_that_does(app: App, make_client: MakeClient) -> None:
    """A primary that was put aside knows nothing of what was revoked since."""
    client = make_client("secret")
    app.run(_found(client.client_id))

    async def put_aside() -> list[Any]:
        reader: Any = batched_lookup()._reader
        before = reader._connection
        await before.execute("SET default_transaction_read_only = on")
        (found,) = await _found(client.client_id)
        return [found.caller_secret, before.closed, reader._connection is before]

    assert app.run(put_aside()) == [client.secret_digest, True, False]


def test_every_request_that_waits_hears_what_the_database_raised() -> None:
    class Broken:
        async def read(self, waiting: Any) -> Any:
            raise RuntimeError("the database is away")

    async def together() -> list[Any]:
        lookup = BatchedLookup(Broken())
        finds = [asyncio.ensure_future(lookup.find("no token", "nobody")) for _ in range(2)]
        answered, _ = await asyncio.wait(finds, timeout=2)
        return [str(each.exception()) for each in answered]

    assert asyncio.run(together()) == ["the database is away"] * 2
