"""A good access token, from which every bad one is made, and what its maker may use for that."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oauth.keys.signing_keys import Key
from oauth.workbench.minting.compact import algorithm, compact

Claims = Mapping[str, Any]
Forge = Callable[["GoodToken", "Keys"], str]
TYPE = "at+jwt"


class CannotMint(Exception):
    """Why there is no such token here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """`own` signs access tokens, `id_token` ID tokens; `previous` retired a moment ago and is still published,
    `withdrawn` is published no more; `foreign` is of the same type as `own`, and nobody knows it."""

    own: Key
    id_token: Key
    previous: Key
    withdrawn: Key
    foreign: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodToken:
    """The token, what it says, what introspection says about it, and names for what is wrong.

    `other_base` is another FHIR base of this issuer, `other_patient` somebody else's record, `listener` an address that
    would notice a call. Without `keys` the token is opaque.
    """

    token: str
    claims: Claims
    answer: Claims
    keys: Keys | None
    other_base: str
    other_patient: str
    listener: str

    @property
    def now(self) -> int:
        return int(self.claims["iat"])

    @property
    def base(self) -> str:
        return str(self.claims["aud"])

    @property
    def issuer(self) -> str:
        return str(self.claims["iss"])

    @property
    def patient(self) -> str:
        return str(self.claims.get("patient", ""))


def header(key: Key) -> dict[str, Any]:
    """The header of a good access token (RFC 9068 §2.1)."""
    return {"alg": algorithm(key), "typ": TYPE, "kid": key.kid}


def sign(claims: Claims | str, key: Key) -> str:
    """These claims as a good server would sign them."""
    return compact(header(key), claims, key)
