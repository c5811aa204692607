"""A server on PostgreSQL that knows an app of each kind, and what the tests know of those apps."""

import json
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import JWKRegistry

from tests.browser.conftest import chromium as chromium
from tests.browser.conftest import visit as visit
from tests.flows.app import RESOURCE_SERVER, introspect, read
from tests.running import ROOT, Server, free_port

HERE = Path(__file__).parent
KEYS = ROOT / "demo" / "keys"
PUBLIC = "app-in-a-browser"
SYMMETRIC, SECRET = "app.with_a~secret", "only~for.the_tests-0123456789abcdef"  # as clients.yaml has them
ASYMMETRIC, BACKEND = "app-with-keys", "backend-with-keys"
WRITING = "app-that-writes"
SCOPE = "openid fhirUser launch/patient offline_access patient/*.rs"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ["ES384", "RS384"]


@dataclass(frozen=True)
class Clinic:
    """The server, its FHIR base, and the origin where the app under test listens."""

    server: Server
    app: str

    @property
    def issuer(self) -> str:
        return self.server.url

    @property
    def base(self) -> str:
        return f"{self.server.url}/fhir/r4"

    def about(self, client_id: str, **more: Any) -> str:
        """What a program of another language is told about its server and itself."""
        told = {"issuer": self.issuer, "base": self.base, "app": self.app, "scope": SCOPE, "clientId": client_id}
        return json.dumps({**told, **more})

    def opened_by_the_ehr(self, client_id: str) -> str:
        """The address at which an EHR opens the app, for Dr Green and Dan."""
        context = {"client_id": client_id, "aud": self.base, "user": "dr-green", "patient": "dan", "intent": "growth"}
        answer = httpx.post(f"{self.issuer}/o/launch", json=context, auth=RESOURCE_SERVER)
        return str(answer.json()["launch_url"])

    def is_dead(self, token: str) -> bool:
        """Whether introspection and the FHIR server agree that it is."""
        refused = read(self.server, "Patient/amy", token).status_code == HTTPStatus.UNAUTHORIZED
        return refused and introspect(self.server, token) == {"active": False}

    def revoke(self, token: str, client_id: str, proof: str | dict[str, Any] | None) -> httpx.Response:
        """As an app does whose library has no function for it: with its secret, signed with its key, or by its name."""
        if isinstance(proof, str):
            return httpx.post(f"{self.issuer}/o/revoke", data={"token": token}, auth=(client_id, proof))
        shown = assertion(self, client_id, proof) if proof else {"client_id": client_id}
        return httpx.post(f"{self.issuer}/o/revoke", data={"token": token, **shown})


@pytest.fixture(scope="session")
def clinic() -> Iterator[Clinic]:
    """One for all tests of this folder: a launch of one disturbs no other, for each ends its own."""
    server = Server()
    found = Clinic(server, f"http://127.0.0.1:{free_port()}")
    try:
        server.prepare()
        shutil.copy(KEYS / "public.jwks.json", server.folder)
        clients = server.folder / "clients.yaml"
        clients.write_text((HERE / "clients.yaml").read_text(encoding="utf-8").replace("{app}", found.app))
        server.manage("seed", str(clients))
        server.start()
        yield found
    finally:
        server.remove()


def assertion(clinic: Clinic, client_id: str, key: dict[str, Any]) -> dict[str, str]:
    """The parameters by which a client with keys proves itself (SMART client-confidential-asymmetric)."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": client_id, "sub": client_id, "aud": f"{clinic.issuer}/o/token", "exp": now + 60}
    header = {"alg": key["alg"], "kid": key["kid"], "typ": "JWT"}
    signed = jwt.encode(header, {**claims, "jti": secrets.token_hex(16)}, JWKRegistry.import_key(key), [key["alg"]])
    return {"client_assertion_type": JWT_BEARER, "client_assertion": signed}


def right(token: dict[str, Any]) -> bool:
    """Whether a token answer has the form that clients rely on (WF-16), and holds what was asked (WF-07, WF-08)."""
    return (
        token["token_type"].lower() == "bearer"
        and type(token["expires_in"]) is int
        and set(SCOPE.split()) <= set(token["scope"].split())
        and token["patient"] == "amy"
    )


def private_key(algorithm: str) -> dict[str, Any]:
    """The private half of one of the demo keys, as a JWK."""
    keys = json.loads((KEYS / "private.jwks.json").read_text(encoding="utf-8"))["keys"]
    found: dict[str, Any] = next(key for key in keys if key["alg"] == algorithm)
    return found
