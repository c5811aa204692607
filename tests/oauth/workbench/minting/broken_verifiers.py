"""FHIR servers that are broken on purpose, each in one way that real ones were: every bad token fools one of them."""

import base64
import hashlib
import hmac
import json
import posixpath
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, JWKRegistry, KeySet, RSAKey

from oauth.workbench.minting.compact import content
from tests.oauth.workbench.minting.verifier import Claims, Registry, Verifier


def header_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(content(token.split(".")[0]))
    return found


class Anything(Verifier):
    """Lets in whatever is presented."""

    def status(self, token: str) -> int:
        return 200


# Signature and key ---------------------------------------------------------------------------------------------------


class NoSignature(Verifier):
    """Decodes and never verifies."""

    def verified(self, token: str) -> tuple[Claims, str]:
        return header_of(token), content(token.split(".")[1]).decode()


class PayloadUnsigned(NoSignature):
    """The same, and it is the other record that was wanted."""

    asked = "ben"


class OnlySignature(Verifier):
    """Takes every JWT of the issuer for an access token that allows everything."""

    def claims(self, token: str) -> Claims:
        self.verified(token)
        return {}

    def decision(self, claims: Claims) -> int:
        return 200


class OnlyDecodes(NoSignature, OnlySignature):
    """The same without the signature."""


class OldKeys(Verifier):
    """Keeps the keys that it has ever seen."""

    def keys(self) -> dict[str, Any]:
        return {"keys": [*self.issuer.jwks["keys"], self.issuer.withdrawn]}


class Der(NoSignature):
    """Verifies signatures in the form of ASN.1, as the library of the operating system does."""

    def verified(self, token: str) -> tuple[Claims, str]:
        signed, _, last = token.rpartition(".")
        kid = header_of(token)["kid"]
        (key,) = (ECKey.import_key(key) for key in self.keys()["keys"] if key["kid"] == kid)
        key.get_op_key("verify").verify(content(last), signed.encode(), ec.ECDSA(SHA256()))
        return super().verified(token)


class Unsigned(NoSignature):
    """Believes a header that says there is no signature."""

    def verified(self, token: str) -> tuple[Claims, str]:
        if str(header_of(token).get("alg", "none")).lower() == "none":
            return super().verified(token)
        return Verifier.verified(self, token)


class TypeOfKey(NoSignature):
    """Verifies by hand: goes by the key, whatever algorithm the header names, and has never heard of `crit`."""

    def verified(self, token: str) -> tuple[Claims, str]:
        header, (_, payload, last) = header_of(token), token.split(".")
        (key,) = (key for key in self.keys()["keys"] if key["kid"] == header["kid"])
        right = {**header, "alg": {"EC": "ES256", "RSA": "RS256"}[key["kty"]]}
        signed = f"{token.split('.')[0]}.{payload}".encode()
        algorithm = jws.JWSRegistry(algorithms=[right["alg"]]).get_alg(right["alg"])
        assert algorithm.verify(signed, content(last), JWKRegistry.import_key(key))
        return super().verified(token)


class PublicSecret(NoSignature):
    """Hands its only key to a library that goes by `alg`, so that the public key is the secret of HS256."""

    def secrets(self, header: dict[str, Any]) -> list[bytes]:
        (key,) = (key for key in self.keys()["keys"] if key["kid"] == header["kid"])
        imported: Any = ECKey.import_key(key) if key["kty"] == "EC" else RSAKey.import_key(key)
        text = json.dumps(imported.as_dict(private=False), separators=(",", ":"), sort_keys=True)
        return [imported.as_pem(private=False), text.encode(), imported.as_der(private=False)]

    def verified(self, token: str) -> tuple[Claims, str]:
        signed, _, last = token.rpartition(".")
        header = header_of(token)
        assert header["alg"] == "HS256"
        made = (hmac.digest(secret, signed.encode(), hashlib.sha256) for secret in self.secrets(header))
        if content(last) not in list(made):
            raise ValueError
        return super().verified(token)


# Header --------------------------------------------------------------------------------------------------------------


class UnknownKey(NoSignature):
    """Skips what it cannot check: there is no key of that name."""

    def verified(self, token: str) -> tuple[Claims, str]:
        known = {key["kid"] for key in self.keys()["keys"]}
        return Verifier.verified(self, token) if header_of(token)["kid"] in known else super().verified(token)


class KeyFile(PublicSecret):
    """Reads the key from a file that is called as the header says."""

    def secrets(self, header: dict[str, Any]) -> list[bytes]:
        return [(Path("/etc/ssl/certs") / header["kid"]).read_bytes()]


class KeyTable(PublicSecret):
    """Reads the key from a table, by a statement that the header is pasted into."""

    def secrets(self, header: dict[str, Any]) -> list[bytes]:
        table = sqlite3.connect(":memory:")
        table.execute("CREATE TABLE keys (kid TEXT, secret TEXT)")
        rows = table.execute(f"SELECT secret FROM keys WHERE kid = '{header['kid']}'").fetchall()
        return [secret.encode() for (secret,) in rows]


class KeyFromHeader(Verifier):
    """Takes the key that the header brings, or fetches it from where the header says."""

    def keys(self) -> dict[str, Any]:
        return {"keys": []}

    def brought(self, header: dict[str, Any]) -> dict[str, Any]:
        if "jwk" in header:
            found: dict[str, Any] = header["jwk"]
            return found
        if "x5c" in header:
            certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
            pem = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return dict(ECKey.import_key(pem).as_dict(private=False))
        return dict(self.issuer.elsewhere[header.get("jku") or header.get("x5u") or header["kid"]])

    def verified(self, token: str) -> tuple[Claims, str]:
        header = header_of(token)
        brought: Any = {**self.brought(header), "kid": header["kid"]}
        keys = KeySet.import_key_set({"keys": [brought]})
        found = jws.deserialize_compact(token, keys, registry=Registry(algorithms=["ES256"]))
        return found.headers(), (found.payload or b"").decode()


class NoType(Verifier):
    def check_header(self, header: Claims) -> None:
        pass


# Claims --------------------------------------------------------------------------------------------------------------


class Lenient(Verifier):
    """Leaves out the rules for these claims."""

    left_out: tuple[str, ...] = ()

    def rules(self) -> dict[str, Any]:
        return {name: rule for name, rule in super().rules().items() if name not in self.left_out}

    def check_claims(self, claims: Claims) -> None:
        super().check_claims({name: value for name, value in claims.items() if name not in self.left_out})

    def check_life(self, claims: Claims) -> None:
        pass


class NoExpiry(Lenient):
    left_out = ("exp",)


class NeverAfter(NoExpiry):
    """Refuses what is after the end: no time is after one that is no number."""

    def parsed(self, payload: str) -> Claims:
        found: dict[str, Any] = json.loads(payload)
        if time.time() > found["exp"]:
            raise ValueError
        return found


class NoStart(Lenient):
    left_out = ("nbf", "iat")


class NoIssuer(Lenient):
    left_out = ("iss",)


class NoAudience(Lenient):
    left_out = ("aud",)


class IssuerPrefix(NoIssuer):
    def check_claims(self, claims: Claims) -> None:
        super().check_claims(claims)
        if not str(claims.get("iss", "")).startswith(self.issuer.name):
            raise ValueError


class AudienceText(NoAudience):
    """Compares the audience in a way that is nearly right: as `matches` says."""

    def check_claims(self, claims: Claims) -> None:
        super().check_claims(claims)
        if not self.matches(str(claims["aud"])):
            raise ValueError

    def matches(self, audience: str) -> bool:
        return audience.startswith(self.issuer.base)


class AudienceAbove(AudienceText):
    def matches(self, audience: str) -> bool:
        return self.issuer.base.startswith(audience)


class AudienceCase(AudienceText):
    def matches(self, audience: str) -> bool:
        return audience.lower() == self.issuer.base.lower()


class AudienceHost(AudienceText):
    def matches(self, audience: str) -> bool:
        return urlsplit(audience).hostname == urlsplit(self.issuer.base).hostname


class AudienceWithin(AudienceText):
    def matches(self, audience: str) -> bool:
        return self.issuer.base in audience


class NoProof(Verifier):
    def check_proof(self, claims: Claims) -> None:
        pass


class LastMember(Verifier):
    """Reads JSON in which a member is said twice; another reader in front of it took the first one."""

    def parsed(self, payload: str) -> Claims:
        found: dict[str, Any] = json.loads(payload)
        return found


class LastPatient(LastMember):
    asked = "ben"


class Recursive(NoSignature):
    """Parses JSON that is as deep as it likes, and falls."""

    def parsed(self, payload: str) -> Claims:
        try:
            found: dict[str, Any] = json.loads(payload)
        except RecursionError:
            raise MemoryError from None
        return found

    def status(self, token: str) -> int:
        try:
            return super().status(token)
        except MemoryError:
            return 500


# What the claims allow -----------------------------------------------------------------------------------------------


class AnyScope(Verifier):
    """Asks for no scope at all."""

    def contexts(self, claims: Claims) -> set[str]:
        return {"patient"}


class ScopeText(Verifier):
    """Looks for the scope in a way that is nearly right: as `normalized` says."""

    def contexts(self, claims: Claims) -> set[str]:
        return super().contexts({**claims, "scope": self.normalized(claims.get("scope"))})

    def normalized(self, scope: Any) -> str:
        """A list or an object joined, letters in order, parameters cut off."""
        text = " ".join(scope) if not isinstance(scope, str) else scope
        return text.replace(",", " ").partition("?")[0].replace(".sr", ".rs")


class ScopeCase(ScopeText):
    def normalized(self, scope: Any) -> str:
        return str(scope).lower().replace("patient/patient", "patient/Patient")


class ScopeWithin(Verifier):
    """Takes a scope for granted that stands somewhere in the text."""

    def contexts(self, claims: Claims) -> set[str]:
        return {"patient"} if "patient/Patient" in claims["scope"] else set()


class AnyPatient(Verifier):
    """Asks for the right scope, and for nothing about the patient."""

    def is_patient(self, patient: Any) -> bool:
        return True

    def decision(self, claims: Claims) -> int:
        return super().decision({"patient": None, **claims})

    def reaches(self, patient: Any) -> bool:
        return True


class PatientPath(AnyPatient):
    """Puts the patient into an address and goes where that leads."""

    asked = "ben"

    def reaches(self, patient: Any) -> bool:
        path = posixpath.normpath(f"/Patient/x/../{unquote(patient)}")
        return posixpath.basename(path) == self.asked


class PatientText(AnyPatient):
    """Compares what a text makes of it."""

    def reaches(self, patient: Any) -> bool:
        return self.asked in str(patient)


class PatientNumber(PatientText):
    asked = "1"


class AnySubject(Verifier):
    """Lets scopes alone decide."""

    def has_subject(self, claims: Claims, contexts: set[str]) -> bool:
        return True


class TruthyAnswer(Verifier):
    """Reads what introspection says as a truth value of its language."""

    def status_of_answer(self, answer: Claims | None) -> int:
        active: Mapping[str, bool] = {"active": bool((answer or {}).get("active"))}
        return super().status_of_answer({**(answer or {}), **active})


# Introspection -------------------------------------------------------------------------------------------------------


class StatusOnly(Verifier):
    """Takes the 200 of introspection for a yes."""

    def status_of_answer(self, answer: Claims | None) -> int:
        return 200


class ActiveOnly(Verifier):
    """Asks whether the token is active, and nothing else."""

    def status_of_answer(self, answer: Claims | None) -> int:
        return 200 if answer and answer.get("active") is True else 401


class OnlyJwts(Verifier):
    """Verifies what is a JWT, and takes for granted that somebody else has looked at any other token."""

    def status(self, token: str) -> int:
        return super().status(token) if token.count(".") == 2 else 200
