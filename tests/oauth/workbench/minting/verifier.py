"""A FHIR server that verifies JWTs itself, by joserfc: right as it stands. What a broken one leaves out is a method."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from smart.http import strict_json

READS = re.compile(r"(?P<context>patient|user|system)/(?:Patient|\*)\.(?:read|\*|c?ru?d?s?)")
FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
LONGEST_LIFE = 86_400
Claims = Mapping[str, Any]


class Registry(jws.JWSRegistry):
    """No token is refused for its length: that would hide what is wrong with it."""

    max_header_length = max_payload_length = max_signature_length = 100_000


class Refused(Exception):
    """What is wrong with a token."""


@dataclass(frozen=True)
class Issuer:
    """What a FHIR server knows of the issuer and of itself, and what else lies about for one that is careless."""

    name: str
    base: str
    jwks: dict[str, Any]
    withdrawn: dict[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, dict[str, Any]] = field(default_factory=dict)


class Verifier:
    """`asked` is the record that is asked for; the answer is a status."""

    asked = "amy"

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def status(self, token: str) -> int:
        """What `GET {base}/Patient/{asked}` is answered."""
        try:
            claims = self.claims(token)
        except (Refused, JoseError, ValueError, TypeError, RecursionError):
            return 401
        return self.decision(claims)

    def status_of_answer(self, answer: Claims | None) -> int:
        """The same at a server that introspects and was answered so; None stands for an inactive token."""
        if answer is None or answer.get("active") is not True:
            return 401
        try:
            self.check_claims(answer)
        except (Refused, JoseError, ValueError, TypeError):
            return 401
        return self.decision(answer)

    # The token ------------------------------------------------------------------------------------------------------

    def claims(self, token: str) -> Claims:
        header, payload = self.verified(token)
        self.check_header(header)
        found = self.parsed(payload)
        self.check_claims(found)
        return found

    def verified(self, token: str) -> tuple[Claims, str]:
        """Header and payload of what one of the published keys has signed."""
        keys = KeySet.import_key_set({"keys": self.keys()["keys"]})
        found = jws.deserialize_compact(token, keys, registry=Registry(algorithms=["ES256", "RS256"]))
        return found.headers(), (found.payload or b"").decode()

    def keys(self) -> dict[str, Any]:
        return self.issuer.jwks

    def check_header(self, header: Claims) -> None:
        if header.get("typ") != "at+jwt":
            raise Refused

    def parsed(self, payload: str) -> Claims:
        found = strict_json.loads(payload)
        if not isinstance(found, dict):
            raise Refused
        return found

    def check_claims(self, claims: Claims) -> None:
        JWTClaimsRegistry(**self.rules()).validate(dict(claims))
        self.check_life(claims)
        self.check_proof(claims)

    def rules(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self.issuer.name},
            "aud": {"essential": True, "values": [self.issuer.base, f"{self.issuer.base}/"]},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }

    def check_life(self, claims: Claims) -> None:
        if claims["exp"] > time.time() + LONGEST_LIFE:
            raise Refused

    def check_proof(self, claims: Claims) -> None:
        if "cnf" in claims:
            raise Refused

    # The request ----------------------------------------------------------------------------------------------------

    def decision(self, claims: Claims) -> int:
        contexts = self.contexts(claims)
        if not contexts or not self.has_subject(claims, contexts):
            return 403
        return 200 if "patient" not in contexts or self.reaches(claims["patient"]) else 404

    def contexts(self, claims: Claims) -> set[str]:
        """In which contexts the scopes let somebody read a Patient."""
        scope = claims.get("scope")
        found = map(READS.fullmatch, scope.split()) if isinstance(scope, str) else ()
        return {match["context"] for match in found if match}

    def has_subject(self, claims: Claims, contexts: set[str]) -> bool:
        """Whether the token says who it speaks for, as its scopes want it."""
        if "patient" in contexts:
            return self.is_patient(claims.get("patient"))
        if "user" in contexts:
            return isinstance(claims.get("fhirUser"), str)
        return claims.get("sub") == claims.get("client_id") and "patient" not in claims

    def is_patient(self, patient: Any) -> bool:
        return isinstance(patient, str) and FHIR_ID.fullmatch(patient) is not None

    def reaches(self, patient: Any) -> bool:
        return bool(patient == self.asked)
