"""What a FHIR request asks for, by its method and path (FHIR http §3.2.0)."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from smart.decisions.interactions import LETTERS
from smart.fhir.audience import canonical_url


class FhirRequest(NamedTuple):
    """A request at a base. `interaction` is "" for what is none of a type, "capabilities" for what is public."""

    method: str
    base: str
    interaction: str
    type: str = ""
    id: str = ""
    query: tuple[tuple[str, str], ...] = ()

    @property
    def letter(self) -> str:
        """Which letter of a scope it needs, "" for none."""
        return LETTERS.get(self.interaction, "")

    @property
    def sentence(self) -> str:
        """What is asked, in words."""
        what = f"{self.type}/{self.id}" if self.id else self.type
        return f"{self.interaction} of {what}" if self.letter else self.interaction or "nothing that FHIR knows"


class UnreadableRequest(ValueError):
    """What is wrong with a request that somebody wrote down, in words."""


def parse_fhir_request(text: str, bases: Sequence[str]) -> FhirRequest:
    """A method and a URL, such as GET /fhir/r4/Patient/amy, at the first of the bases that it fits.

    A path that fits none is taken as one below the first base. Raises UnreadableRequest.
    """
    method, _, url = text.strip().partition(" ")
    if not method.isalpha() or not url.strip():
        raise UnreadableRequest("say a method and a URL, such as GET /fhir/r4/Patient/amy")
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise UnreadableRequest("that is no URL") from None
    where = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path
    base, below = _base_and_rest(where, bases)
    names = [unquote(name) for name in below.split("/") if name]
    asked = _asked(method.upper(), names)
    return FhirRequest(method.upper(), base, *asked, tuple(parse_qsl(parts.query, keep_blank_values=True)))


def _base_and_rest(where: str, bases: Sequence[str]) -> tuple[str, str]:
    for base in bases:
        for written in (canonical_url(base), urlsplit(base).path.rstrip("/")):
            asked = canonical_url(where) if "://" in where else where
            if written and (asked == written or asked.startswith(f"{written}/")):
                return base, asked[len(written) :]
    if "://" in where or not bases:
        raise UnreadableRequest("that URL is at no FHIR base of this server")
    return bases[0], where


def _asked(method: str, names: list[str]) -> tuple[str, str, str]:
    """Interaction, type and id."""
    method = "GET" if method == "HEAD" else method
    match names:
        case ["metadata"]:
            return ("capabilities" if method == "GET" else "", "", "")
        case [type_]:
            return ({"GET": "search-type", "POST": "create"}.get(method, ""), type_, "")
        case [type_, "_search"]:
            return ("search-type" if method == "POST" else "", type_, "")
        case [type_, "_history"]:
            return ("history-type" if method == "GET" else "", type_, "")
        case [type_, id_]:
            done = {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
            return (done.get(method, ""), type_, id_)
        case [type_, id_, "_history"]:
            return ("history-instance" if method == "GET" else "", type_, id_)
        case [type_, id_, "_history", _]:
            return ("vread" if method == "GET" else "", type_, id_)
    return ("", "", "")
