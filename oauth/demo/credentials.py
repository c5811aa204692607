"""The demo people and clients whose passwords, secrets and keys everybody knows (smartauth.yaml, demo/keys/)."""

import json
from contextlib import suppress

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from accounts import clock
from accounts.models import User
from oauth.clients.secrets import client_secret_digest
from oauth.models import Client

PASSWORD = "smartauth-demo"  # noqa: S105  # public by intention
PEOPLE = ("amy", "ben", "carol", "dr-green", "admin")
CLIENTS = (
    "demo-public",
    "demo-symmetric",
    "demo-asymmetric",
    "demo-versions",
    "demo-backend",
    "demo-resource-server",
)
KEYS = {"yHhaEliM2ds96Dc7dBBHtih_WeKroNePno7C8QblkH0", "SJl_8sFOAeo3Y6vmH9Mvv2JBWJtAucAFkiWxLKbwvx0"}  # RFC 7638
CALLBACK = "/demo/callback"
LOOPBACK_CALLBACK = "http://127.0.0.1:4999/cb"


def published_secret(client_id: str) -> str:
    """The public secret of a demo client."""
    return f"{client_id}-secret"


def demo_issuer() -> str:
    """The server whose demo is in the database, by what its sample app was registered with; "" if there is none."""
    row = Client.objects.filter(client_id="demo-public").first()
    uris = row.redirect_uris.split() if row else []
    return next((uri.removesuffix(CALLBACK) for uri in uris if uri.endswith(CALLBACK)), "")


def usable_demo_credentials() -> list[str]:
    """Who could still get in with what is published: the server refuses to start outside development until it is gone.
    A person who is suspended, a client that is disabled, a changed password or secret no longer counts."""
    now = clock.now()
    clients = [
        row.client_id
        for row in Client.objects.filter(enabled=1).order_by("pk")
        if _accepts_published_credential(row, now)
    ]
    people = User.objects.get_queryset().filter(username__in=PEOPLE, suspended_at=0).order_by("pk")
    return [
        *(f"client {client_id}" for client_id in clients),
        *(f"person {row.username}" for row in people if row.check_password(PASSWORD)),
    ]


def _accepts_published_credential(row: Client, now: int) -> bool:
    if row.authentication == Client.Authentication.SECRET:
        public = client_secret_digest(row.client_id, published_secret(row.client_id))
        return public == row.secret_digest or (public == row.old_secret_digest and now < row.old_secret_until)
    if row.authentication == Client.Authentication.KEYS:
        return not KEYS.isdisjoint(_thumbprints(row.jwks))
    return row.client_id in CLIENTS and LOOPBACK_CALLBACK in row.redirect_uris.split()


def _thumbprints(jwks: str) -> set[str]:
    """Of each key that can be read; one that cannot lets nobody in."""
    found = set()
    for key in json.loads(jwks).get("keys", []) if jwks else []:
        with suppress(JoseError, ValueError, TypeError, KeyError):
            found.add(JWKRegistry.import_key(key).thumbprint())
    return found
