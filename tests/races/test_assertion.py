"""Assertions shown and keys fetched at the same moment by separate processes.

Each test was seen to fail: without the unique constraint of the jti several requests win, without the condition of the
claim every process fetches, where each request looks for its keys only twice some are refused.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.publishing import Publisher, publisher_of
from tests.races.contender import Contest, contest
from tests.races.signing_clients import SigningCommands
from tests.running import Server
from tests.signing import assertion_form, jwks, pair

pytestmark = pytest.mark.race
PROCESSES, REQUESTS, REPEATS = 4, 8, 20
EC = pair("ES384")


@pytest.fixture(scope="module")
def racers(server: Server) -> Iterator[Contest]:
    with contest(server, PROCESSES, SigningCommands) as made:
        yield made


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    with publisher_of(jwks(EC)) as made:
        made.headers = {"Cache-Control": "max-age=600"}
        yield made


def statuses(racers: Contest, assertions: list[str]) -> Counter[int]:
    """The answers to these assertions, all shown at one moment."""
    audience = "/o/revoke"
    forms = [assertion_form(each, token="x") for each in assertions]
    return Counter(status for status, _ in racers.post(audience, forms))


def assertion(server: Server, client_id: str, kid: str = EC.kid) -> str:
    return EC.assertion(client_id, {"kid": kid}, aud=server.url)


@pytest.mark.requirement("E72", "CL-06")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_one_assertion_shown_to_several_processes_at_once_is_good_once(
    racers: Contest, server: Server, repeat: int
) -> None:
    shown_again = assertion(server, racers.alone("client", jwks(EC)))

    answers = statuses(racers, [shown_again] * REQUESTS)

    assert answers == {200: 1, 401: REQUESTS - 1}


@pytest.mark.requirement("CL-11")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_processes_that_need_the_same_keys_fetch_them_once(
    racers: Contest, server: Server, publisher: Publisher, repeat: int
) -> None:
    client_id = racers.alone("client", "", publisher.url)
    publisher.asked.clear()

    answers = statuses(racers, [assertion(server, client_id) for _ in range(REQUESTS)])

    assert answers == {200: REQUESTS}
    assert len(publisher.asked) == 1


@pytest.mark.requirement("CL-10")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_where_nothing_may_be_kept_everybody_is_served_however_the_fetches_of_the_processes_meet(
    racers: Contest, server: Server, repeat: int
) -> None:
    with publisher_of(jwks(EC)) as publisher:
        publisher.headers = {"Cache-Control": "no-store"}
        client_id = racers.alone("client", "", publisher.url)

        answers = statuses(racers, [assertion(server, client_id) for _ in range(5 * REQUESTS)])

    assert answers == {200: 5 * REQUESTS}


@pytest.mark.requirement("E103", "CL-11")
@pytest.mark.parametrize("repeat", range(REPEATS))
def test_a_flood_of_unknown_kids_over_several_processes_makes_one_fetch(
    racers: Contest, server: Server, publisher: Publisher, repeat: int
) -> None:
    client_id = racers.alone("client", "", publisher.url)
    statuses(racers, [assertion(server, client_id)] * PROCESSES)
    racers.alone("later", client_id, 31)
    publisher.asked.clear()

    answers = statuses(racers, [assertion(server, client_id, f"unknown-{number}") for number in range(REQUESTS)])

    assert set(answers) <= {401, 429}
    assert len(publisher.asked) == 1
