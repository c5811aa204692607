"""What is wrong with a signature, or with the algorithm that a header names for it."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from joserfc.jwk import ECKey

from oauth.keys.signing_keys import Key
from oauth.workbench.minting.compact import algorithm, compact, content, der_signature, part
from oauth.workbench.minting.good_token import CannotMint, Forge, GoodToken, Keys, header, sign


def _signature(change: Callable[[bytes], bytes]) -> Forge:
    """Another signature under the header and payload of a good token."""

    def forge(good: GoodToken, keys: Keys) -> str:
        first, _, last = good.token.rpartition(".")
        return f"{first}.{part(change(content(last)))}"

    return forge


def _flip_a_bit(given: bytes) -> bytes:
    middle = len(given) // 2
    return given[:middle] + bytes([given[middle] ^ 1]) + given[middle + 1 :]


def _two_parts(good: GoodToken, keys: Keys) -> str:
    return good.token.rpartition(".")[0]


def _change_payload(good: GoodToken, keys: Keys) -> str:
    first, _, last = good.token.split(".")
    return f"{first}.{part({**good.claims, 'patient': good.other_patient})}.{last}"


def _foreign_key(good: GoodToken, keys: Keys) -> str:
    return compact(header(keys.own), good.claims, keys.foreign)


def _more_scopes(good: GoodToken, keys: Keys) -> str:
    return sign({**good.claims, "scope": f"{good.claims.get('scope', '')} patient/*.cruds user/*.cruds"}, keys.own)


def _der(good: GoodToken, keys: Keys) -> str:
    if not isinstance(keys.own, ECKey):
        raise CannotMint(
            "signatures of RSA have one form only; it takes a FHIR server whose tokens are signed by ES256"
        )
    first = f"{part(header(keys.own))}.{part(good.claims)}"
    return f"{first}.{part(der_signature(first, keys.own))}"


# Algorithm -----------------------------------------------------------------------------------------------------------


def _unsigned(**members: str) -> Forge:
    """Header and payload without a signature; the header says no more of the algorithm than that."""

    def forge(good: GoodToken, keys: Keys) -> str:
        rest = {name: value for name, value in header(keys.own).items() if name != "alg"}
        return f"{part({**members, **rest})}.{part(good.claims)}."

    return forge


def signed_by_hmac(secret: Callable[[Key], bytes], **members: str) -> Forge:
    """Signed by HS256 with what is no secret."""

    def forge(good: GoodToken, keys: Keys) -> str:
        first = f"{part({**header(keys.own), 'alg': 'HS256', **members})}.{part(good.claims)}"
        return f"{first}.{part(hmac.digest(secret(keys.own), first.encode(), hashlib.sha256))}"

    return forge


def _public_jwk(key: Key) -> bytes:
    return json.dumps(key.as_dict(private=False), separators=(",", ":"), sort_keys=True).encode()


def _other_algorithm(good: GoodToken, keys: Keys) -> str:
    other = {"ES256": "RS256", "RS256": "ES256"}[algorithm(keys.own)]
    return compact({**header(keys.own), "alg": other}, good.claims, keys.own)


FORGERIES: Mapping[str, Forge] = {
    "signature-bit": _signature(_flip_a_bit),
    "signature-empty": _signature(lambda given: b""),
    "signature-cut": _signature(lambda given: given[: len(given) // 2]),
    "signature-none": _two_parts,
    "payload-changed": _change_payload,
    "foreign-key": _foreign_key,
    "resigned-by-us": _more_scopes,
    "withdrawn-key": lambda good, keys: sign(good.claims, keys.withdrawn),
    "signature-der": _der,
    "alg-none": _unsigned(alg="none"),
    "alg-None": _unsigned(alg="None"),
    "alg-NONE": _unsigned(alg="NONE"),
    "alg-missing": _unsigned(),
    "alg-hs256-public-key": signed_by_hmac(lambda key: key.as_pem(private=False)),
    "alg-hs256-public-jwk": signed_by_hmac(_public_jwk),
    "alg-hs256-public-der": signed_by_hmac(lambda key: key.as_der(private=False)),
    "alg-other-type": _other_algorithm,
    "good-previous-key": lambda good, keys: sign(good.claims, keys.previous),
}
