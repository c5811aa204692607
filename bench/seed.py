"""Live tokens in an empty database: some issued by smartauth's own function, a crowd of copies around them.

Run as `python -m bench.seed TOKENS POOL APPS LAUNCHES CODES ISSUED.json KEY.json` with the environment of the server.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model  # noqa: E402

from accounts import clock  # noqa: E402
from accounts.models import User  # noqa: E402
from bench import exchange, introspections  # noqa: E402
from bench.contenders import A_SECRET  # noqa: E402
from oauth.clients.secrets import client_secret_digest  # noqa: E402
from oauth.keys import signing_keys  # noqa: E402
from oauth.models import AccessToken, Authorization, Client, Code, FhirServer, ResourceServerRole, Seat  # noqa: E402
from oauth.tokens.authorization_state import AuthorizationState  # noqa: E402
from oauth.tokens.issue import issue  # noqa: E402
from smart.digests import sha256_hex  # noqa: E402
from smart.time_units import HOUR  # noqa: E402

SCOPE = "launch/patient patient/*.rs"
OFFLINE_SCOPE = f"offline_access {SCOPE}"
SERVICE_SCOPE = "system/*.rs"
REFRESHING_FROM = 100_000  # persons of launches that are refreshed
DEAD_FROM = 500_000
COPIES_FROM = 1_000_000
CODES_FROM = 10_000_000


def _create_fhir_server() -> FhirServer:
    base = settings.SMARTAUTH_FHIR_BASES["r4"]
    return FhirServer.objects.create(base=base, name="Bench", access_token_seconds=3600)


def _create_resource_server(fhir_server: FhirServer) -> None:
    name = "resource-server"
    client = Client.objects.create(
        client_id=name, authentication="secret", grants="", secret_digest=client_secret_digest(name, A_SECRET)
    )
    ResourceServerRole.objects.create(client=client, fhir_server=fhir_server)


def _create_asserting_server(fhir_server: FhirServer, jwks: str) -> None:
    client = Client.objects.create(client_id=introspections.CALLER, authentication="keys", grants="", jwks=jwks)
    ResourceServerRole.objects.create(client=client, fhir_server=fhir_server)


def _create_services(apps: int, fhir_server: FhirServer, jwks: str) -> None:
    """Clients that ask for themselves: some by a secret, one kind for opaque tokens, some by an assertion."""
    opaque = FhirServer.objects.create(base=f"{fhir_server.base}-opaque", name="Bench, opaque", token_format="opaque")
    known: dict[str, Any] = {"grants": "client_credentials", "scope": SERVICE_SCOPE}
    for number in range(apps):
        for name, server in ((f"service-{number}", fhir_server), (f"opaque-{number}", opaque)):
            digest = client_secret_digest(name, A_SECRET)
            by_secret: dict[str, Any] = {"authentication": "secret", "secret_digest": digest, "backend_by_secret": 1}
            Client.objects.create(client_id=name, **by_secret, **known).fhir_servers.add(server)
        signer = Client.objects.create(client_id=f"signer-{number}", authentication="keys", jwks=jwks, **known)
        signer.fhir_servers.add(fhir_server)


def _issue(number: int, client: Client, fhir_server: FhirServer, scope: str = SCOPE) -> dict[str, Any]:
    """What a launch gives, of a person and an authorization of its own."""
    patient = f"patient-{number}"
    authorization = Authorization.objects.create(
        client=client,
        user=User.objects.create(username=f"person-{number}", password="!"),
        fhir_server=fhir_server,
        patient=patient,
        patient_vouched=1,
        scope=scope,
        context=json.dumps({"patient": patient}),
        client_epoch=client.epoch,
    )
    return issue(AuthorizationState.of(authorization.pk), now=clock.now(), address="127.0.0.1")


def _create_apps(apps: int, fhir_server: FhirServer) -> list[Client]:
    """Confidential apps of people."""
    clients = []
    for name in (f"app-{number}" for number in range(apps)):
        client = Client.objects.create(
            client_id=name,
            scope=OFFLINE_SCOPE,
            grants="authorization_code refresh_token",
            authentication="secret",
            secret_digest=client_secret_digest(name, A_SECRET),
        )
        client.fhir_servers.add(fhir_server)
        clients.append(client)
    return clients


def _issue_launches(launches: int, clients: list[Client], fhir_server: FhirServer) -> Iterator[tuple[str, str]]:
    for number in range(launches):
        client = clients[number % len(clients)]
        yield _issue(REFRESHING_FROM + number, client, fhir_server, OFFLINE_SCOPE)["refresh_token"], client.client_id


def _issue_dead(clients: list[Client], fhir_server: FhirServer) -> dict[str, list[tuple[str, str]]]:
    """Tokens that have ended, and live ones that were changed."""
    made = [
        (_issue(DEAD_FROM + number, client, fhir_server)["access_token"], client.client_id)
        for number, client in enumerate(clients[: introspections.DEAD] * 2)
    ]
    ended, live = made[: len(made) // 2], made[len(made) // 2 :]
    digests = [sha256_hex(token) for token, _ in ended]
    AccessToken.objects.filter(digest__in=digests).update(revoked_at=clock.now(), revoked_for="revoked")
    changed = [(introspections.changed(token), client_id) for token, client_id in live]
    return {introspections.INACTIVE: ended, introspections.TAMPERED: changed}


def _issue_pool(pool: int, clients: list[Client], fhir_server: FhirServer) -> Iterator[tuple[str, str]]:
    for number in range(pool):
        client = clients[number % len(clients)]
        yield _issue(number, client, fhir_server)["access_token"], client.client_id


def copy_newest(model: type[Model], count: int, **changes: str) -> None:
    """`count` copies of the newest row; `changes` are SQL expressions of n = 1, 2, ..."""
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = [changes.get(column, f"t.{column}") for column in columns]
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM {table} t, generate_series(1, {count}) n WHERE t.id = (SELECT max(id) FROM {table})"
        )


def _create_crowd(count: int) -> None:
    """Others who hold a live token: each a person, an authorization, a seat and a token of their own."""
    own, drawn = f"{COPIES_FROM} + n", "encode(sha256(('{}' || n)::bytea), 'hex')"
    copy_newest(User, count, id=own, username="'copy-' || n", subject="'copy-' || n")
    copy_newest(Authorization, count, id=own, user_id=own)
    copy_newest(Seat, count, id=own, key="'copy-' || n")
    digests: dict[str, Any] = {name: drawn.format(name) for name in ("digest", "signed_digest", "signature_digest")}
    copy_newest(AccessToken, count, id=own, jti="'copy-' || n", authorization_id=own, seat_id=own, **digests)


def _create_codes(count: int, clients: list[Client], fhir_server: FhirServer) -> None:
    """Codes as the consent page leaves them, each of a person and an authorization of its own, of all apps in turn."""
    own, now, first = f"{CODES_FROM} + n", clock.now(), clients[0]
    person = User.objects.create(id=CODES_FROM, username="code-0", subject="code-0", password="!")
    authorization = Authorization.objects.create(
        id=CODES_FROM,
        client=first,
        user=person,
        fhir_server=fhir_server,
        patient="patient-0",
        patient_vouched=1,
        scope=exchange.SCOPE,
        context=json.dumps({"patient": "patient-0"}),
        client_epoch=first.epoch,
    )
    Code.objects.create(
        id=CODES_FROM,
        digest=sha256_hex("code0"),
        authorization=authorization,
        redirect_uri=exchange.REDIRECT_URI,
        code_challenge=exchange.CHALLENGE,
        issued_at=now,
        expires_at=now + HOUR,
    )
    copy_newest(User, count - 1, id=own, username="'code-' || n", subject="'code-' || n")
    copy_newest(Authorization, count - 1, id=own, user_id=own, client_id=f"{first.pk} + n % {len(clients)}")
    copy_newest(Code, count - 1, id=own, authorization_id=own, digest="encode(sha256(('code' || n)::bytea), 'hex')")


def main() -> None:
    tokens, pool, apps, launches, codes, file, key = sys.argv[1:]
    jwks = json.dumps(json.loads(Path(key).read_text(encoding="utf-8"))["public"])
    call_command("migrate", verbosity=0)
    call_command("migrate", database="audit", verbosity=0)
    signing_keys.ensure_keys()
    with transaction.atomic():
        fhir_server = _create_fhir_server()
        _create_resource_server(fhir_server)
        _create_asserting_server(fhir_server, jwks)
        _create_services(int(apps), fhir_server, jwks)
        clients = _create_apps(int(apps), fhir_server)
        refresh = list(_issue_launches(int(launches), clients, fhir_server))
        dead = _issue_dead(clients, fhir_server)
        bearer = _issue(2 * DEAD_FROM - 1, clients[0], fhir_server, introspections.SCOPE)["access_token"]
        issued = list(_issue_pool(int(pool), clients, fhir_server))
        _create_crowd(int(tokens) - int(pool))
        if int(codes):
            _create_codes(int(codes), clients, fhir_server)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    Path(file).write_text(
        json.dumps({"tokens": issued, "refresh": refresh, "dead": dead, "bearer": bearer}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
