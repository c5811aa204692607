"""What else a header says to lead a verifier astray: to another key, or past what it should demand."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from oauth.keys.signing_keys import Key
from oauth.workbench.minting.bad_signatures import signed_by_hmac
from oauth.workbench.minting.compact import compact
from oauth.workbench.minting.good_token import Forge, GoodToken, Keys, header

DEV_NULL_KID, DEV_NULL = "../../../../../../dev/null", b""
SQL_KID, SQL_SECRET = "none' UNION SELECT 'attacker' -- ", b"attacker"


def _header(members: Callable[[GoodToken, Keys], Mapping[str, Any]]) -> Forge:
    """Signed by the foreign key, under a header that leads to it."""
    return lambda good, keys: compact({**header(keys.own), **members(good, keys)}, good.claims, keys.foreign)


def _own_header(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Forge:
    """Signed as a good token is, under another header."""
    return lambda good, keys: compact(change(header(keys.own)), good.claims, keys.own)


def _untyped(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name != "typ"}


def _certificate(key: Key) -> str:
    """A certificate that the key has issued to itself, as `x5c` holds it (RFC 7515 §4.1.6)."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "attacker.invalid")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.get_op_key("verify"), 1, now - timedelta(1), now + timedelta(30))
    made = builder.sign(key.get_op_key("sign"), SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


FORGERIES: Mapping[str, Forge] = {
    "kid-unknown": _header(lambda good, keys: {"kid": keys.foreign.kid}),
    "kid-path": signed_by_hmac(lambda key: DEV_NULL, kid=DEV_NULL_KID),
    "kid-url": _header(lambda good, keys: {"kid": good.listener}),
    "kid-sql": signed_by_hmac(lambda key: SQL_SECRET, kid=SQL_KID),
    "kid-null": _header(lambda good, keys: {"kid": None}),
    "jku": _header(lambda good, keys: {"kid": keys.foreign.kid, "jku": good.listener}),
    "x5u": _header(lambda good, keys: {"kid": keys.foreign.kid, "x5u": good.listener}),
    "jwk": _header(lambda good, keys: {"jwk": keys.foreign.as_dict(private=False)}),
    "x5c": _header(lambda good, keys: {"x5c": [_certificate(keys.foreign)]}),
    "crit": _own_header(lambda members: {**members, "crit": ["unheard-of"], "unheard-of": True}),
    "typ-missing": _own_header(_untyped),
    "typ-jwt": _own_header(lambda members: {**members, "typ": "JWT"}),
}
