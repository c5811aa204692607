"""What each kind changes in the claims of a good token; everything else of it stays right."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

Claims = Mapping[str, Any]
HOUR = 3600


class Good(Protocol):
    """What a good token says, and names for what is wrong: another FHIR base of its issuer, somebody else's record."""

    @property
    def now(self) -> int: ...

    @property
    def issuer(self) -> str: ...

    @property
    def base(self) -> str: ...

    @property
    def patient(self) -> str: ...

    @property
    def other_base(self) -> str: ...

    @property
    def other_patient(self) -> str: ...


Change = Callable[[Claims, Good], Claims]


def _set(**members: Any) -> Change:
    return lambda claims, good: {**claims, **members}


def _without(*names: str) -> Change:
    return lambda claims, good: {name: value for name, value in claims.items() if name not in names}


def _ended(seconds: int) -> Change:
    """It lived for five minutes and ended so many seconds ago."""
    return lambda claims, good: {**claims, "iat": good.now - seconds - 300, "exp": good.now - seconds}


def _audience(audience: Callable[[Good], Any]) -> Change:
    return lambda claims, good: {**claims, "aud": audience(good)}


def _patient(patient: Callable[[Good], Any]) -> Change:
    return lambda claims, good: {**claims, "patient": patient(good)}


def _other_port(base: str) -> str:
    found = urlsplit(base)
    return found._replace(netloc=f"{found.hostname}:{(found.port or 443) + 1}").geturl()


def _other_case(base: str) -> str:
    found = urlsplit(base)
    return found._replace(path=found.path.swapcase()).geturl()


def _userinfo_only(claims: Claims, good: Good) -> Claims:
    kept = _without("patient", "encounter", "fhirUser")(claims, good)
    return {**kept, "aud": f"{good.issuer}/o/userinfo", "scope": "openid profile"}


def _backend(claims: Claims, good: Good) -> Claims:
    kept = _without("fhirUser")(claims, good)
    return {**kept, "sub": claims["client_id"], "scope": "system/*.rs", "patient": good.patient}


def _user_without_person(claims: Claims, good: Good) -> Claims:
    return {**_without("fhirUser", "patient", "__patients")(claims, good), "scope": "user/*.rs"}


_LIFETIME: Mapping[str, Change] = {
    "expired": _ended(600),
    "expired-just-now": _ended(1),
    "expired-past-skew": _ended(61),
    "not-yet-valid": lambda claims, good: {**claims, "nbf": good.now + HOUR, "exp": good.now + 2 * HOUR},
    "from-the-future": lambda claims, good: {**claims, "iat": good.now + HOUR, "exp": good.now + 2 * HOUR},
    "no-exp": _without("exp"),
    "exp-as-text": _set(exp="4102444800"),
    "exp-negative": _set(exp=-1),
    "exp-huge": _set(exp=1e308),
    "exp-float-nan": _set(exp=float("nan")),
}
_AUDIENCE: Mapping[str, Change] = {
    "aud-other": _audience(lambda good: good.other_base),
    "aud-longer": _audience(lambda good: f"{good.base}-other"),
    "aud-longer-path": _audience(lambda good: f"{good.base}/x"),
    "aud-shorter": _audience(lambda good: good.base.rpartition("/")[0]),
    "aud-missing": _without("aud"),
    "aud-list-other": _audience(lambda good: [good.other_base, good.issuer]),
    "aud-case": _audience(lambda good: _other_case(good.base)),
    "aud-host-port": _audience(lambda good: _other_port(good.base)),
    "aud-object": _audience(lambda good: {"base": good.base}),
    "aud-number": _set(aud=1),
    "iss-other": _set(iss="https://issuer.invalid"),
    "iss-longer": lambda claims, good: {**claims, "iss": f"{good.issuer}.evil.test"},
    "iss-missing": _without("iss"),
}
_SCOPES: Mapping[str, Change] = {
    "scope-missing": _without("scope"),
    "scope-empty": _set(scope=""),
    "scope-openid-only": _set(scope="openid fhirUser"),
    "scope-other-type": _set(scope="patient/Observation.rs"),
    "scope-write-only": _set(scope="patient/*.cud"),
    "scope-list": _set(scope=["patient/*.rs"]),
    "scope-object": _set(scope={"patient/*.rs": True}),
    "scope-order": _set(scope="patient/Patient.sr"),
    "scope-case": _set(scope="Patient/patient.RS"),
    "scope-case-context": _set(scope="PATIENT/*.rs"),
    "scope-glued": _set(scope="patient/Patient.rs,patient/Observation.rs"),
    "scope-unknown-parameter": _set(scope="patient/Patient.rs?no-such-parameter=1"),
    "scope-modifier": _set(scope="patient/Patient.rs?name:no-such-modifier=a"),
    "scope-prefix-trap": _set(scope="patient/PatientX.rs"),
    "scope-prefix-context": _set(scope="mypatient/Patient.rs"),
}
PATIENT: Mapping[str, Change] = {
    "patient-missing": _without("patient"),
    "patient-other": _patient(lambda good: good.other_patient),
    "patient-path": _patient(lambda good: f"{good.patient}/../{good.other_patient}"),
    "patient-path-up": _patient(lambda good: f"../{good.other_patient}"),
    "patient-path-encoded": _patient(lambda good: f"{good.patient}%2f..%2f{good.other_patient}"),
    "patient-path-type": _patient(lambda good: f"Patient/{good.other_patient}"),
    "patient-number": _set(patient=1),
    "patient-list": _patient(lambda good: [good.patient, good.other_patient]),
    "patient-null": _set(patient=None),
    "patient-blank": _patient(lambda good: f" {good.patient} "),
    "user-without-person": _user_without_person,
}
_OTHER: Mapping[str, Change] = {
    "userinfo-token": _userinfo_only,
    "dpop-as-bearer": _set(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    "backend-with-patient": _backend,
    "active-text": lambda claims, good: {**claims, "active": "true"} if "active" in claims else claims,
    "good-v2-scopes": _set(scope="patient/*.rs"),
    "good-v1-scopes": _set(scope="patient/*.read"),
    "good-aud-list": _audience(lambda good: [good.other_base, good.base]),
    "good-aud-slash": _audience(lambda good: f"{good.base}/"),
    "good-extra-claims": _set(extra={"of": ["nobody", 1]}, **{"https://claims.invalid/x": True}),
    "good-extra-scopes": _set(scope="patient/*.rs launch/nowhere https://scopes.invalid/x unheard-of"),
}
CHANGES: Mapping[str, Change] = {**_LIFETIME, **_AUDIENCE, **_SCOPES, **PATIENT, **_OTHER}
