"""JWTs in compact form (RFC 7515 §7.1), written by hand: what a library refuses to write is what is wanted here."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey

from oauth.keys.signing_keys import Key

P256_BYTES = 32


def part(content: bytes | str | Mapping[str, Any]) -> str:
    """One part of a compact JWT: of bytes, of a text, or of members as JSON."""
    text = json.dumps(content) if isinstance(content, Mapping) else content
    encoded = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()


def content(encoded: str) -> bytes:
    """What a part of a compact JWT holds."""
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def algorithm(key: Key) -> str:
    """The algorithm of a key of this server."""
    return "ES256" if isinstance(key, ECKey) else "RS256"


def signature(signed: str, key: Key) -> bytes:
    """The signature over the first two parts, in the form of JWTs (RFC 7518 §3.3, §3.4)."""
    if not isinstance(key, ECKey):
        made: bytes = key.get_op_key("sign").sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return made
    r, s = decode_dss_signature(der_signature(signed, key))
    return r.to_bytes(P256_BYTES, "big") + s.to_bytes(P256_BYTES, "big")


def der_signature(signed: str, key: ECKey) -> bytes:
    """The same of an elliptic curve, in the form of ASN.1: wrong in a JWT."""
    made: bytes = key.get_op_key("sign").sign(signed.encode(), ec.ECDSA(SHA256()))
    return made


def compact(header: Mapping[str, Any], payload: str | Mapping[str, Any], key: Key) -> str:
    """The whole token; the header is written as it is, whatever it says."""
    signed = f"{part(header)}.{part(payload)}"
    return f"{signed}.{part(signature(signed, key))}"
