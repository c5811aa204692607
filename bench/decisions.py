"""What is asked of AuthZEN's endpoint, and whether the answer is right: a search and a read by a patient's app."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

READ, SEARCH = "read", "search"
PATH = "/access/v1/evaluation"
_TYPE = "Observation"


def bodies(what: str, base: str, tokens: list[tuple[str, str]]) -> Iterator[str]:
    """The body about each token, each with a URL of its own; the FHIR server says that it applies views."""
    for number, (token, _) in enumerate(tokens):
        asked = {"method": "GET", "url": _url(what, number)}
        context = {"base": base, "understands": ["fhir-view/1"], "http": asked}
        yield json.dumps({"subject": {"type": "access_token", "id": token}, "context": context})


def _url(what: str, number: int) -> str:
    if what == READ:
        return f"{_TYPE}/pressure-{number}"
    asked = {"code": "http://loinc.org|85354-9", "date": f"ge2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}Z"}
    return f"{_TYPE}?{urlencode({**asked, '_count': 50})}"


def is_right(answer: dict[str, Any], client_id: str) -> bool:
    """Whether it allows, for a token of that client, what lies in the compartment of the token's patient."""
    if answer["decision"] is not True:
        return False
    context = answer["context"]
    mine = {"who": {"compartments": [f"Patient/{context['claims']['patient']}"]}, "where": []}
    return bool(context["claims"]["client_id"] == client_id and context["view"] == {_TYPE: [mine]})
