"""What a FHIR request asks for, by its method and path (FHIR http §3.2.0)."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from smart.decisions.interactions import CAPABILITIES
from smart.decisions.question import ANY_ID, MAX_PARAMETERS, Question, question_of_http
from smart.fhir.audience import canonical_url


class FhirRequest(NamedTuple):
    """A request at a base. The statement is public; whatever else is asked is a question."""

    method: str
    base: str
    question: Question
    query: str = ""

    @property
    def is_public(self) -> bool:
        """Whether it asks for what everybody may read (TV-24)."""
        return self.question.interaction == CAPABILITIES

    @property
    def sentence(self) -> str:
        """What is asked, in words."""
        if self.is_public:
            return "the capability statement"
        asked = self.question
        what = "several types" if asked.is_of_several_types else asked.type
        what += "" if asked.id == ANY_ID else f"/{asked.id}"
        what += f" in the compartment of Patient/{asked.compartment}" if asked.compartment else ""
        return f"{asked.interaction} of {what}" if asked.interaction else f"{self.method} of a path that FHIR has not"


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
    try:
        question = question_of_http(method.upper(), f"{below.strip('/')}?{parts.query}")
    except ValueError:
        raise UnreadableRequest(f"that is no URL, or it has more than {MAX_PARAMETERS} parameters") from None
    return FhirRequest(method.upper(), base, question, parts.query)


def _base_and_rest(where: str, bases: Sequence[str]) -> tuple[str, str]:
    for base in bases:
        for written in (canonical_url(base), urlsplit(base).path.rstrip("/")):
            asked = canonical_url(where) if "://" in where else where
            if written and (asked == written or asked.startswith(f"{written}/")):
                return base, asked[len(written) :]
    if "://" in where or not bases:
        raise UnreadableRequest("that URL is at no FHIR base of this server")
    return bases[0], where
