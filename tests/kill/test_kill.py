"""kill -9 of everything in the middle of work, and a new start: what was acknowledged stays true."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from tests.flows.app import StandaloneLaunch, introspect, read, revoke, token
from tests.kill.load import activity, exchange, prepare, refresh
from tests.postgresql import PostgreSQL
from tests.running import Server
from tests.waiting import wait_until

pytestmark = pytest.mark.kill
ENGINES = ("SMARTAUTH_DATABASE_URL", "SMARTAUTH_AUDIT_DATABASE_URL", "SMARTAUTH_REDIS_URL")


class Machine:
    """A server and the engine under it, which die together."""

    def __init__(self, engine: PostgreSQL | None) -> None:
        self.engine = engine
        with pytest.MonkeyPatch.context() as patch:
            for name in ENGINES:
                patch.delenv(name, raising=False)
            self.server = Server()
        if engine:
            main, audit, _ = ENGINES
            self.server.environment |= {main: engine.url("main"), audit: engine.url("audit")}

    def start(self) -> None:
        if self.engine:
            self.engine.start()
        self.server.start()

    def kill(self) -> None:
        self.server.kill()
        if self.engine:
            self.engine.kill()


@contextmanager
def running(engine: PostgreSQL | None) -> Iterator[Machine]:
    """A machine with the demo data, removed at the end."""
    with ExitStack() as stack:
        if engine:
            stack.callback(engine.remove)
            engine.start().create("main", "audit")
        made = Machine(engine)
        stack.callback(made.server.remove)
        made.server.prepare()
        made.server.start()
        yield made


@pytest.fixture(scope="module", params=["embedded", "postgresql"])
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """One for all tests of the module: each leaves it running again."""
    with running(PostgreSQL() if request.param == "postgresql" else None) as made:
        yield made


def test_a_new_start_keeps_tokens_keys_and_data(machine: Machine) -> None:
    server = machine.server
    kept = token(server)
    assert read(server, "Patient/amy", kept).status_code == 200
    keys = httpx.get(f"{server.url}/o/jwks").json()

    machine.kill()
    machine.start()

    assert httpx.get(f"{server.url}/o/jwks").json() == keys
    assert introspect(server, kept)["active"] is True
    assert read(server, "Patient/amy", kept).status_code == 200
    assert read(server, "Observation", kept).json()["total"] > 0


@pytest.mark.requirement("E77", "CG-05", "RV-01")
def test_what_was_acknowledged_before_the_kill_is_true_after_it(machine: Machine) -> None:
    load = prepare(machine.server)

    load.until_killed(machine.kill, after=60)
    machine.start()

    assert len(load.revoked) > 5
    assert set(activity(machine.server, load.revoked).values()) == {False}
    assert set(activity(machine.server, load.untouched).values()) == {True}
    assert len(load.refresh_tokens) > 5
    again = [httpx.post(f"{machine.server.url}/o/token", data=refresh(*each)) for each in load.refresh_tokens.items()]
    assert {answer.status_code for answer in again} == {200}
    assert half_done(machine.server) == "0 0 0"


# codes that were used and bought nothing, tokens without an event, refresh tokens that were used and have no next one
HALF_DONE = """
from audit.models import OutboxEvent, SecurityEvent
from oauth.models import AccessToken, Code, RefreshToken
named = {token for kind in (OutboxEvent, SecurityEvent) for token in kind.objects.values_list("token", flat=True)}
print(
    Code.objects.filter(consumed_at__gt=0, accesstoken=None).count(),
    len({str(token) for token in AccessToken.objects.only("pk")} - named),
    RefreshToken.objects.filter(consumed_at__gt=0, successor=None).count(),
)
"""


def half_done(server: Server) -> str:
    """What a transaction would have left that was cut in two."""
    return server.manage("shell", "--no-imports", "-c", HALF_DONE).strip()


@pytest.mark.requirement("E77", "CG-05")
def test_a_code_that_was_used_before_the_kill_is_used_up_after_it(machine: Machine) -> None:
    load = prepare(machine.server)
    load.until_killed(machine.kill, after=20)
    machine.start()
    bought = {client: token for token, client in load.tokens.items()}

    answers = [httpx.post(f"{machine.server.url}/o/token", data=exchange(*used)) for used in load.consumed]

    assert {(answer.status_code, answer.json()["error"]) for answer in answers} == {(400, "invalid_grant")}
    replayed = {bought[client] for client, _ in load.consumed}
    assert set(activity(machine.server, replayed).values()) == {False}


@pytest.fixture
def on_postgresql() -> Iterator[Machine]:
    with running(PostgreSQL()) as made:
        yield made


@pytest.mark.requirement("E114", "E42", "TV-15")
def test_the_service_returns_by_itself_when_the_database_does(on_postgresql: Machine) -> None:
    server, engine = on_postgresql.server, on_postgresql.engine
    assert engine is not None
    kept, launch = token(server), StandaloneLaunch(server, "ben")
    code = launch.code()
    assert read(server, "Patient/amy", kept).status_code == 200

    engine.kill()
    asked = httpx.post(f"{server.url}/o/introspect", data={"token": kept}, auth=CALLER, timeout=30)
    down = [asked, revoke(server, kept), launch.exchange(code)]
    page = httpx.get(f"{server.url}/o/authorize", params=launch.request, timeout=30)
    refused = read(server, "Patient/amy", kept)
    ready = httpx.get(f"{server.url}/readyz", timeout=30)
    engine.start()

    assert [answer.status_code for answer in down] == [503] * 3
    assert [answer.json()["error"] for answer in down] == ["temporarily_unavailable"] * 3
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in down)
    assert page.status_code == 503
    assert "We cannot answer just now" in page.text
    assert (refused.status_code, refused.json()["resourceType"]) == (503, "OperationOutcome")
    assert ready.status_code == 503
    assert eventually(lambda: introspect(server, kept)["active"])
    assert eventually(lambda: read(server, "Patient/amy", kept).status_code == 200)
    assert [read(server, "Patient/amy", kept).status_code for _ in range(24)] == [200] * 24
    assert launch.exchange(code).status_code == 200
    assert httpx.get(f"{server.url}/o/authorize", params=launch.request).status_code == 303
    assert revoke(server, kept).status_code == 200
    assert introspect(server, kept) == {"active": False}


CALLER = ("demo-resource-server", "demo-resource-server-secret")


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds after a while; a refusal on the way is no failure."""

    def is_so() -> bool:
        with suppress(AssertionError, httpx.HTTPError):
            return holds()
        return False

    return wait_until(is_so)
