"""Signs tokens: a JWS in its compact form (RFC 7515 §7.1). What a key needs is looked up once, not each time."""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from oauth.keys import signing_keys
from smart.json_output import ascii_json

_P256_BYTES = 32

Sign = Callable[[Mapping[str, Any]], str]


@lru_cache(maxsize=16)
def token_signer(typ: str, algorithm: str, kid: str | None, private_encrypted: str) -> Sign:
    """What signs claims with the active key of the algorithm. Raises UnreadableKey, also where there is none."""
    if kid is None:
        raise signing_keys.UnreadableKey(f"there is no active {algorithm} key; the server makes one when it starts")
    signature = _signature_by(signing_keys.private_key(kid, private_encrypted).private_key)
    head = _base64url(ascii_json({"alg": algorithm, "typ": typ, "kid": kid}))

    def sign(claims: Mapping[str, Any]) -> str:
        signed = b"%s.%s" % (head, _base64url(ascii_json(claims)))
        return (b"%s.%s" % (signed, _base64url(signature(signed)))).decode("ascii")

    return sign


def _signature_by(key: EllipticCurvePrivateKey | RSAPrivateKey | None) -> Callable[[bytes], bytes]:
    """ES256 writes both numbers in full, one after the other (RFC 7518 §3.4); RS256 is §3.3."""
    if isinstance(key, RSAPrivateKey):
        return lambda text: key.sign(text, PKCS1v15(), SHA256())
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError(f"{key!r} signs nothing")
    by_sha256, elliptic = ECDSA(SHA256()), key

    def es256(text: bytes) -> bytes:
        r, s = decode_dss_signature(elliptic.sign(text, by_sha256))
        return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")

    return es256


def _base64url(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
