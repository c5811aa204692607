"""How a token of each kind is presented: most in the Authorization header, those "on the way" in another manner."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote, urlencode

from smartauth_probe.segments import segment

CUT = 12  # characters of the token before what does not belong there
ANOTHER_ADDRESS = "203.0.113.1"  # of no machine (RFC 5737): from there a token was used that is bound to an address
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Presentation:
    """A request below the FHIR base. Every character of a header's value stands for one byte, as in HTTP."""

    path: str
    method: str = "GET"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


Present = Callable[[str, str], Presentation]


def presentation(kind: str, token: str, patient: str) -> Presentation:
    """The request for the record of a patient, "" for all patients, with a token of that kind."""
    return PRESENTATIONS.get(kind, _header("Bearer {}"))(token, patient)


def _path(patient: str) -> str:
    return f"Patient/{segment(patient)}" if patient else "Patient"


def _header(*values: str, name: str = "Authorization") -> Present:
    return lambda token, patient: Presentation(
        _path(patient), headers=tuple((name, value.format(token)) for value in values)
    )


def _mangled(middle: str) -> Present:
    """In the right place, with something between its first characters and the rest."""
    return lambda token, patient: _header("Bearer {}")(f"{token[:CUT]}{middle}{token[CUT:]}", patient)


def _in_query(token: str, patient: str) -> Presentation:
    return Presentation(_path(patient), query=f"access_token={quote(token)}")


def _in_body(token: str, patient: str) -> Presentation:
    """Where RFC 6750 §2.2 allows it: in the form of a POST, which a search is."""
    form = urlencode({"_id": patient, "access_token": token})
    return Presentation("Patient/_search", "POST", headers=(("Content-Type", FORM),), body=form)


PRESENTATIONS: Mapping[str, Present] = {
    "no-token": _header(),
    "in-query": _in_query,
    "in-body": _in_body,
    "two-headers": _header("Bearer {}", "Bearer {}"),
    "two-tokens": _header("Bearer {0} {0}"),
    "scheme-basic": _header("Basic {}"),
    "scheme-none": _header("{}"),
    "bytes": _mangled("\0"),
    "bytes-folded": _mangled("\r\n "),
    "bytes-non-ascii": _mangled("\xc3\xa9"),
    "bytes-invalid-utf8": _mangled("\xff\xfe"),
    "bytes-blank": _mangled(" "),
    "cookie": _header("access_token={}", name="Cookie"),
    "good-scheme-lower": _header("bearer {}"),
    "good-scheme-upper": _header("BEARER {}"),
}
