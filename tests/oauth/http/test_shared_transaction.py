"""On SQLite requests that wait are done in one transaction, and each is answered as if it had been alone."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import DatabaseError, OperationalError, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from oauth.http.credentials import AuthenticatedClient, Credentials
from oauth.http.machine_request import MachineRequest
from oauth.http.shared_transaction import SharedTransactions
from oauth.tokens import endpoint
from smart.http.errors import TemporarilyUnavailable
from smart.http.parameters import Parameters
from tests.conftest import VERIFIER, App, Granted
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson
from tests.signing import assertion_form, jwks, pair

pytestmark = pytest.mark.sqlite
Form = dict[str, str]
BEGIN = "_start_transaction_under_autocommit"  # of Django's wrapper: what sends BEGIN IMMEDIATE


class Transactions:
    """Sends forms at one moment; `begun` are the transactions of writers since then."""

    def __init__(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        app.get("/o/introspect")  # a process checks the database before it answers: what comes meanwhile is refused
        self._app, self.begun = app, 0
        begin = getattr(DatabaseWrapper, BEGIN)

        def counted(wrapper: DatabaseWrapper) -> None:
            self.begun += 1
            begin(wrapper)

        monkeypatch.setattr(DatabaseWrapper, BEGIN, counted)

    def post(self, path: str, *forms: Form) -> list[httpx.Response]:
        async def all_at_once() -> list[httpx.Response]:
            return list(await asyncio.gather(*(self._app._client.post(path, data=form) for form in forms)))

        self.begun = 0
        answers: list[httpx.Response] = self._app.run(all_at_once())
        return answers


@pytest.fixture
def transactions(app: App, monkeypatch: pytest.MonkeyPatch) -> Transactions:
    return Transactions(app, monkeypatch)


def test_exchanges_and_revocations_that_arrive_together_are_few_transactions_and_each_has_its_own_answer(
    transactions: Transactions, grant: Grant, make_client: MakeClient, make_person: MakePerson, introspect: Introspect
) -> None:
    granted = [grant(make_client(), make_person("amy")) for _ in range(12)]

    answers = transactions.post("/o/token", *(each.exchange() for each in granted))

    assert [answer.status_code for answer in answers] == [200] * 12
    assert transactions.begun <= 3  # the first may have gone before the last came
    tokens = [answer.json()["access_token"] for answer in answers]
    clients = [each.client.client_id for each in granted]
    assert [introspect(token)["client_id"] for token in tokens] == clients
    ended = transactions.post(
        "/o/revoke", *({"token": token, "client_id": name} for token, name in zip(tokens, clients, strict=True))
    )
    assert [answer.status_code for answer in ended] == [200] * 12
    assert transactions.begun <= 3
    assert not any(introspect(token)["active"] for token in tokens)


@pytest.mark.requirement("E77", "E82", "CG-04", "CG-05")
def test_a_refusal_undoes_what_is_its_own_and_its_consequences_are_committed(
    transactions: Transactions, grant: Grant, issue: Issue, introspect: Introspect, events: Events
) -> None:
    used, good, guessed, twice = issue(), grant(), grant(), grant()

    answers = transactions.post(
        "/o/token",
        used["granted"].exchange(),
        guessed.exchange(code_verifier=VERIFIER[::-1]),
        twice.exchange(),
        twice.exchange(),
        good.exchange(client_id="nobody"),
        good.exchange(),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 200, 400, 400, 400, 401]
    assert introspect(used["access_token"]) == {"active": False}
    bought = next(answer for answer in answers[2:4] if answer.status_code == 200).json()
    assert introspect(bought["access_token"]) == {"active": False}
    assert len(events("code-replayed", client=twice.client.client_id)) == 1
    assert [answer.status_code for answer in transactions.post("/o/token", guessed.exchange())] == [200]


@pytest.fixture
def fail_once(monkeypatch: pytest.MonkeyPatch) -> Callable[[Granted], None]:
    """The database fails the first attempt at the exchange of that code, once it is done."""

    def fail(granted: Granted) -> None:
        exchange, failures = endpoint.GRANTS["authorization_code"], [DatabaseError("the disk is full")]

        def failing(request: MachineRequest, client: Any) -> Any:
            answer = exchange(request, client)
            if failures and request.parameters["code"] == granted.code:
                raise failures.pop()
            return answer

        monkeypatch.setitem(endpoint.GRANTS, "authorization_code", failing)

    return fail


@pytest.mark.requirement("CL-06", "CG-05")
def test_an_error_of_the_database_undoes_all_then_each_goes_alone_and_an_assertion_still_counts_once(
    transactions: Transactions,
    grant: Grant,
    make_client: MakeClient,
    events: Events,
    fail_once: Callable[[Granted], None],
) -> None:
    signed, granted = grant(make_client("keys", jwks=jwks(pair("ES384")))), [grant() for _ in range(3)]
    form = signed.exchange() | assertion_form(pair("ES384").assertion(signed.client.client_id))
    fail_once(granted[-1])

    answers = transactions.post("/o/token", form, *(each.exchange() for each in granted))
    again = transactions.post("/o/token", form)

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.status_code for answer in again] == [401]
    assert [len(events("issued", client=each.client.client_id)) for each in (signed, *granted)] == [1] * 4


@pytest.mark.requirement("CG-05")
def test_what_undoes_all_without_a_word_is_never_told_as_done(
    transactions: Transactions, grant: Grant, introspect: Introspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the last of them: what asks the database after that hears of it."""
    exchange, undone, granted = endpoint.GRANTS["authorization_code"], [True], [grant() for _ in range(4)]

    def undoing(request: MachineRequest, client: AuthenticatedClient) -> Any:
        answer = exchange(request, client)
        is_last = request.parameters["code"] == granted[-1].code
        if undone and is_last and transaction.get_connection().in_atomic_block:
            undone.pop()
            transaction.set_rollback(True)
        return answer

    monkeypatch.setitem(endpoint.GRANTS, "authorization_code", undoing)

    answers = transactions.post("/o/token", *(each.exchange() for each in granted))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert undone == []
    assert all(introspect(answer.json()["access_token"])["active"] for answer in answers)


@pytest.mark.requirement("E114")
def test_where_the_database_does_not_answer_all_of_them_are_told_to_come_back(
    transactions: Transactions, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, attempts = endpoint.GRANTS["authorization_code"], list[str]()

    def locked(request: MachineRequest, client: AuthenticatedClient) -> Any:
        attempts.append(request.parameters["code"])
        raise OperationalError("database is locked")

    granted = [grant() for _ in range(4)]
    monkeypatch.setitem(endpoint.GRANTS, "authorization_code", locked)
    refused = transactions.post("/o/token", *(each.exchange() for each in granted))
    monkeypatch.setitem(endpoint.GRANTS, "authorization_code", exchange)
    again = transactions.post("/o/token", *(each.exchange() for each in granted))

    assert [answer.status_code for answer in refused] == [503] * 4
    assert len(attempts) < 4  # the first one that waited alone, and the first of the others
    assert [answer.status_code for answer in again] == [200] * 4


def machine_request(client: str) -> MachineRequest:
    return MachineRequest("/o/token", {}, "192.0.2.7", Parameters([]), Credentials(client, None), now=1)


@pytest.mark.requirement("SD-20")
def test_who_finds_no_room_is_told_to_come_back_and_who_has_gone_is_left_out(committed: None) -> None:
    done: list[str] = []

    async def ask() -> list[Any]:
        shared = SharedTransactions()
        asked = [
            asyncio.ensure_future(shared.run(machine_request("greedy"), lambda: done.append("done")))
            for _ in range(1100)
        ]
        await asyncio.sleep(0)
        asked[0].cancel()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(ask())

    refused = [answer for answer in answers if isinstance(answer, TemporarilyUnavailable)]
    assert (len(refused), len(done)) == (1100 - 1024, 1023)
    assert isinstance(answers[0], asyncio.CancelledError)


def test_one_that_is_alone_has_its_own_transaction_and_what_it_raises_is_raised(committed: None) -> None:
    seen: list[bool] = []

    def fail() -> None:
        seen.append(transaction.get_connection().in_atomic_block)
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        asyncio.run(SharedTransactions().run(machine_request("client"), fail))
    assert seen == [False]


@pytest.mark.requirement("CL-06")
def test_what_was_proved_in_a_transaction_that_was_undone_is_proved_again(committed: None) -> None:
    request, seen, failures = machine_request("signer"), list[Any](), [DatabaseError("the disk is full")]

    def prove() -> None:
        seen.append(request.client)
        request.client = AuthenticatedClient(1, "signer", frozenset(), "keys")

    def fail_once() -> None:
        if failures:
            raise failures.pop()

    async def ask() -> None:
        shared = SharedTransactions()
        await asyncio.gather(shared.run(request, prove), shared.run(machine_request("other"), fail_once))

    asyncio.run(ask())

    assert seen == [None, None]


def test_who_goes_while_the_transaction_is_under_way_keeps_nobody_from_an_answer(committed: None) -> None:
    async def ask() -> str:
        shared, loop = SharedTransactions(), asyncio.get_running_loop()
        leaves = asyncio.ensure_future(shared.run(machine_request("leaves"), lambda: "unheard"))

        def stay() -> str:
            loop.call_soon_threadsafe(leaves.cancel)
            return "heard"

        return await asyncio.wait_for(shared.run(machine_request("stays"), stay), 30)

    assert asyncio.run(ask()) == "heard"
