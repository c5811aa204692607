"""Key pairs of clients, and the assertions that they sign: good ones, and such as nobody should accept."""

import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

TOKEN_URL = "http://127.0.0.1:8000/o/token"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Json = dict[str, Any]


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def segment(value: Any) -> str:
    return b64(value.encode() if isinstance(value, str) else json.dumps(value).encode())


@dataclass(frozen=True)
class Pair:
    """A key pair that signs with one algorithm."""

    alg: str
    key: Any

    @property
    def kid(self) -> str:
        return str(self.key.as_dict(private=False)["kid"])

    def public(self, **changes: Any) -> Json:
        return without_none({**self.key.as_dict(private=False), **changes})

    def private(self) -> Json:
        return dict(self.key.as_dict(private=True))

    def sign(self, header: Any, claims: Any) -> str:
        """A compact JWS of any header and claims, signed with this key whatever the header says."""
        signed = f"{segment(header)}.{segment(claims)}"
        return f"{signed}.{b64(JWSRegistry.algorithms[self.alg].sign(signed.encode(), self.key))}"

    def assertion(self, client_id: str, header: Json | None = None, **claims: Any) -> str:
        """A good assertion of that client, with changes; None leaves a member out."""
        head = {"alg": self.alg, "kid": self.kid, "typ": "JWT", **(header or {})}
        return self.sign(without_none(head), without_none({**claims_of(client_id), **claims}))


def claims_of(client_id: str) -> Json:
    now = int(time.time())
    party = {"iss": client_id, "sub": client_id, "aud": TOKEN_URL}
    return {**party, "iat": now, "nbf": now, "exp": now + 240, "jti": secrets.token_hex(16)}


def without_none(members: Json) -> Json:
    return {name: value for name, value in members.items() if value is not None}


def new_pair(alg: str, kid: str = "") -> Pair:
    """A new pair."""
    about: Any = {"kid": kid or secrets.token_hex(8), "use": "sig", "alg": alg}
    if alg.startswith("ES"):
        return Pair(alg, ECKey.generate_key({"ES384": "P-384", "ES256": "P-256"}[alg], about, private=True))
    return Pair(alg, RSAKey.generate_key(2048, about, private=True))


@lru_cache
def pair(alg: str = "ES384", name: str = "") -> Pair:
    """The pair of that algorithm and name, the same all through a run."""
    return new_pair(alg)


def hs256(header: Json, claims: Json, secret: bytes) -> str:
    """A JWS signed with a secret that two share, made of anything."""
    signed = f"{segment({**header, 'alg': 'HS256'})}.{segment(claims)}"
    return f"{signed}.{b64(hmac.digest(secret, signed.encode(), 'sha256'))}"


def jwks(*keys: Pair | Json) -> str:
    """A JWK set of public halves, and of whatever else is given."""
    return json.dumps({"keys": [key.public() if isinstance(key, Pair) else key for key in keys]})


def assertion_form(assertion: str, **others: str) -> dict[str, str]:
    """The parameters that carry an assertion."""
    return {"client_assertion_type": TYPE, "client_assertion": assertion, **others}
