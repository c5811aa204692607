"""What every test may ask for: the two sides of the server over ASGI on committed data, and rows to try them with.

Tests make their own clients and people; nothing is truncated. Django's test client and transaction tests never reach
the machines' side, so use `app` there.
"""

import asyncio
import functools
import json
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from django.db import connection, connections
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import settings as steady

from tests.codes import CHALLENGE as CHALLENGE
from tests.codes import REDIRECT_URI as REDIRECT_URI
from tests.codes import VERIFIER as VERIFIER
from tests.codes import waiting_code
from tests.explained import assert_explained
from tests.fixture_types import Events, Grant, Introspect, Issue, MakeClient, MakePerson, MakeResourceServer, SetClock

pytest_plugins = [
    "tests.workers", "tests.templates", "tests.skips", "tests.lost_connections", "tests.running", "tests.oracle",
    "tests.strangers", "smartauth_probe.pytest_plugin",
]  # fmt: skip
steady.register_profile("steady", deadline=None, derandomize=True)  # the same examples everywhere, however slow
steady.load_profile("steady")

BASE = "http://127.0.0.1:8000/fhir/r4"
ADDRESS = "192.0.2.7"  # of every request through `app`
SECRET = "a-secret-that-was-drawn-at-random"


class App:
    """The ASGI application on a loop of its own, asked as a client would ask it; it has started, as a server has."""

    def __init__(self) -> None:
        from smartauth.asgi import application
        from smartauth.startup_checks import gate

        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        transport = httpx.ASGITransport(application, raise_app_exceptions=False, client=(ADDRESS, 40000))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60)
        self.run(asyncio.to_thread(gate.open))

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(90)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        self._client.cookies.clear()
        response: httpx.Response = self.run(self._client.request(method, path, **options))
        assert_explained(path, response)
        return response

    def send_later(self, path: str, **options: Any) -> "Future[httpx.Response]":
        """A POST that is under way."""
        return asyncio.run_coroutine_threadsafe(self._client.post(path, **options), self._loop)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """httpx reads all authorities that it knows for each client, even for plain HTTP: 25 ms of CPU for a request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", functools.cache(httpx.create_ssl_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """httpx waits five seconds, if not told otherwise, which a busy machine may need for an answer."""
    with pytest.MonkeyPatch.context() as patch:
        for part in ("connect", "read", "write", "pool"):
            patch.setattr(DEFAULT_TIMEOUT_CONFIG, part, 60)
        yield


@pytest.fixture(scope="session", autouse=True)
def _networks_of_visitors() -> None:
    """A development server answers loopback only; the apps and people of these tests come from elsewhere."""
    from django.conf import settings

    settings.SMARTAUTH_DEV_NETWORKS = (ip_network("192.0.2.0/24"), ip_network("198.51.0.0/16"))


@pytest.fixture(scope="session", autouse=True)
def _pages_of_development() -> None:
    """Which pages there are is read once in a process, as at the start of a server: before a test changes a setting."""
    from django.urls import get_resolver

    get_resolver().url_patterns  # noqa: B018  # reading it imports them


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_modify_db_settings: None, django_db_blocker: Any
) -> Iterator[None]:
    """Both test databases, migrated, with signing keys; pytest-django's own makes only those that a mark names."""
    from django.test.utils import setup_databases, teardown_databases

    from oauth.keys import signing_keys
    from tests import migrated_databases

    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, **migrated_databases.copy_migrated_databases())
        signing_keys.ensure_keys()
    yield
    with django_db_blocker.unblock():
        _leave_the_databases()
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test databases outside any transaction."""
    with django_db_blocker.unblock():
        yield


def _leave_the_databases() -> None:
    """Ends the connections of the server's threads, so that the test databases can be dropped.

    A thread that is still at work opens another one, once.
    """
    for each in connections.all():
        if each.vendor == "postgresql":
            with each.cursor() as cursor:
                for _ in range(5):
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                    if not cursor.fetchall():
                        break


@pytest.fixture(scope="session")
def _app(committed: None) -> App:
    return App()


@pytest.fixture
def app(_app: App) -> App:
    """The whole server in this process, on committed data. Clients that nobody knows have not failed here yet."""
    from accounts import rate_limit

    rate_limit.forget_failures("client", "", ADDRESS)
    return _app


def basic(client_id: str, secret: str) -> dict[str, str]:
    """An Authorization header as RFC 6749 §2.3.1 describes it."""
    return {"Authorization": "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()}


@pytest.fixture
def fhir_server(committed: None) -> Any:
    """The bundled R4 base, as a row."""
    from oauth.models import FhirServer

    return FhirServer.objects.get_or_create(base=BASE, defaults={"name": "Harbour Clinic"})[0]


@pytest.fixture
def other_fhir_server(committed: None) -> Any:
    """A second protected base, so that aud can be wrong."""
    from oauth.models import FhirServer

    return FhirServer.objects.get_or_create(base="https://other.example.org/fhir", defaults={"name": "Other"})[0]


@pytest.fixture
def make_client(fhir_server: Any) -> MakeClient:
    """A new client: public unless said otherwise, allowed at the R4 base; a secret client's secret is SECRET."""

    def make(authentication: str = "none", **fields: Any) -> Any:
        from oauth.clients.secrets import client_secret_digest
        from oauth.models import Client

        client_id = fields.pop("client_id", f"test-{secrets.token_hex(8)}")
        known = {
            "name": "Growth Chart",
            "redirect_uris": REDIRECT_URI,
            "scope": "launch/patient patient/*.rs patient/*.read",
            "secret_digest": client_secret_digest(client_id, SECRET) if authentication == "secret" else "",
        }
        client = Client.objects.create(client_id=client_id, authentication=authentication, **{**known, **fields})
        client.fhir_servers.add(fhir_server)
        return client

    return make


@pytest.fixture
def make_resource_server(make_client: MakeClient, fhir_server: Any) -> MakeResourceServer:
    """A new client that may introspect and revoke for a FHIR server, the R4 base unless said otherwise."""

    def make(*servers: Any) -> Any:
        from oauth.models import ResourceServerRole

        client = make_client("secret", grants="", redirect_uris="")
        for server in servers or (fhir_server,):
            ResourceServerRole.objects.create(client=client, fhir_server=server)
        return client

    return make


@pytest.fixture
def make_person(fhir_server: Any) -> MakePerson:
    """A new person who may act for the patients named; the password is "smartauth-demo"."""

    def make(*patients: str, username: str = "", is_: str = "") -> Any:
        from accounts.models import User
        from oauth.models import ActsFor, FhirIdentity, PatientRecord

        person = User(username=username or f"person-{secrets.token_hex(8)}", name="Amy Shaw")
        person.password = _argon2()
        person.save()
        resource = is_ or f"Patient/{patients[0] if patients else 'nobody'}"
        identity = FhirIdentity.objects.create(user=person, fhir_server=fhir_server, resource=resource)
        for patient in patients:
            record, _ = PatientRecord.objects.get_or_create(
                fhir_server=fhir_server, patient=patient, defaults={"name": patient.title()}
            )
            ActsFor.objects.create(identity=identity, record=record)
        return person

    return make


_real_cost: dict[str, int] = {}


@pytest.fixture(scope="session", autouse=True)
def _cheap_hashes() -> None:
    """Argon2id with little memory, for thousands of logins in this process; servers of their own take the real cost."""
    from django.contrib.auth.hashers import Argon2PasswordHasher as Hasher

    for name, cost in {"time_cost": 1, "memory_cost": 256, "parallelism": 1}.items():
        _real_cost[name] = getattr(Hasher, name)
        setattr(Hasher, name, cost)


@pytest.fixture
def real_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as the server uses it, for what is about the time that it takes."""
    from django.contrib.auth.hashers import Argon2PasswordHasher as Hasher

    for name, cost in _real_cost.items():
        monkeypatch.setattr(Hasher, name, cost)


@pytest.fixture
def hashing_networks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """For which networks passwords are hashed from now on, "" where that is not known."""
    from accounts import password_hasher

    turn, networks = password_hasher._turn_of_network, list[str]()

    def watched(name: str, deadline: float) -> AbstractContextManager[None]:
        networks.append(name)
        return turn(name, deadline)

    monkeypatch.setattr(password_hasher, "_turn_of_network", watched)
    return networks


_hashed: list[str] = []


def _argon2() -> str:
    """The hash of the demo password, computed once for all people of a run."""
    from django.contrib.auth.hashers import make_password

    if not _hashed:
        _hashed.append(make_password("smartauth-demo"))
    return _hashed[0]


@dataclass(frozen=True)
class Granted:
    """What a person has allowed, with everything needed to use it."""

    client: Any
    person: Any
    authorization: Any
    code: str

    def exchange(self, **changes: str | None) -> dict[str, str]:
        """The form of a good code exchange, with changes; None leaves a parameter out."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": self.code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            "client_id": self.client.client_id if self.client.authentication == "none" else None,
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}


def acts_for(person: Any, patient: str, server: Any) -> bool:
    from oauth.models import ActsFor

    return ActsFor.objects.filter(identity__user=person, record__fhir_server=server, record__patient=patient).exists()


def allow(client: Any, scope: str, server: Any) -> None:
    """The client may ask for that at that FHIR server: nothing else is ever granted."""
    if server.holds_records:
        client.fhir_servers.add(server)
    missing = [name for name in scope.split() if name not in client.scope.split()]
    if missing:
        client.scope = " ".join([*client.scope.split(), *missing])
        client.save(update_fields=["scope"])


@pytest.fixture
def grant(make_client: MakeClient, make_person: MakePerson, fhir_server: Any) -> Grant:
    """An authorization with a code that waits to be exchanged, as the consent page leaves it."""

    def make(
        client: Any = None,
        person: Any = None,
        *,
        patient: str = "amy",
        scope: str = "launch/patient patient/*.rs",
        server: Any = None,
        life: int = 60_000_000,
    ) -> Granted:
        from oauth.models import Authorization

        client, person = client or make_client(), person or make_person(patient)
        allow(client, scope, server or fhir_server)
        authorization = Authorization.objects.create(
            client=client,
            user=person,
            fhir_server=server or fhir_server,
            patient=patient,
            scope=scope,
            context=json.dumps({"patient": patient}),
            patient_vouched=int(not acts_for(person, patient, server or fhir_server)),
            client_epoch=client.epoch,
            user_epoch=person.epoch,
            fhir_server_epoch=(server or fhir_server).epoch,
        )
        code = waiting_code(authorization, life=life)
        return Granted(client, person, authorization, code)

    return make


@pytest.fixture
def issue(app: App, grant: Grant) -> Issue:
    """A token answer, got by a real exchange of a code."""

    def make(*args: Any, **options: Any) -> dict[str, Any]:
        made = grant(*args, **options)
        secret = made.client.authentication == "secret"
        headers = basic(made.client.client_id, SECRET) if secret else {}
        response = app.post("/o/token", data=made.exchange(), headers=headers)
        assert response.status_code == 200, response.text
        return {**response.json(), "granted": made}

    return make


@pytest.fixture
def introspect(app: App, make_resource_server: MakeResourceServer) -> Introspect:
    """What a resource server of the R4 base hears about a token."""
    caller = make_resource_server()

    def ask(token: str) -> dict[str, Any]:
        response = app.post("/o/introspect", data={"token": token}, headers=basic(caller.client_id, SECRET))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return ask


@pytest.fixture
def events(committed: None) -> Events:
    """The events of a kind that wait in the outbox, seen through the test's own connection."""

    def find(kind: str, **fields: str) -> list[Any]:
        from audit.models import OutboxEvent

        return list(OutboxEvent.objects.filter(kind=kind, **fields).order_by("pk"))

    return find


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Stops the clock of the server in this process at a moment, in microseconds since 1970 (PR-08)."""
    return lambda moment: monkeypatch.setattr("accounts.clock.now", lambda: moment)


@pytest.fixture(scope="session")
def vendor(committed: None) -> str:
    """Which engine this run tests: "sqlite" or "postgresql"."""
    return str(connection.vendor)


@pytest.fixture
def held_elsewhere(committed: None) -> Iterator[Callable[[Any], None]]:
    """Locks the rows of a query on another connection until the test ends."""
    other = connections.create_connection("default")
    other.set_autocommit(False)

    def hold(rows: Any) -> None:
        with other.cursor() as cursor:
            text, values = rows.values("pk").query.sql_with_params()
            cursor.execute(f"{text} FOR UPDATE", values)
            assert cursor.fetchall()

    yield hold
    other.rollback()
    other.close()
