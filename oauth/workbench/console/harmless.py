"""What may be kept of a request: everything else is cut before anything is stored. Pure.

Bodies, cookies and other headers never get here. A token, code or handle has 43 characters or more, so no word longer
than 40 is kept.
"""

import re
from urllib.parse import parse_qsl

from smart.fhir.versions import FHIR_VERSIONS, resource_types
from smart.text import replace_unsafe_characters

LONGEST_WORD = 40
LONGEST_TEXT = 300
CUT = "…"
PARAMETERS = frozenset({
    "_count", "_format", "_id", "_include", "_lastUpdated", "_revinclude", "_sort", "_summary", "_total", "_type",
    "aud", "category", "client_id", "clinical-status", "code", "code_challenge_method", "date", "encounter",
    "grant_type", "onset-date", "patient", "prompt", "response_type", "status", "subject", "type",
})  # fmt: skip
MODIFIERS = frozenset({"above", "below", "contains", "exact", "in", "iterate", "missing", "not", "not-in", "text"})
OAUTH_SECRETS = frozenset({"code"})  # of FHIR's parameters one that means something else to OAuth
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,100}(/[A-Za-z0-9._~-]{1,40})*/?")
_SEPARATORS = re.compile(r"([\s,|\"'()=&?;]+)")


def harmless_text(text: str) -> str:
    """The text with each long word cut; an address without a query stays, so that a FHIR base can be read."""
    line = replace_unsafe_characters(str(text), "?")[:LONGEST_TEXT]
    return "".join(map(_harmless_word, _SEPARATORS.split(line)))


def _harmless_word(word: str) -> str:
    if len(word) <= LONGEST_WORD or _ADDRESS.fullmatch(word):
        return word
    return CUT


def harmless_path(path: str) -> str:
    """The path with each long segment cut."""
    return "/".join(map(_harmless_word, replace_unsafe_characters(path, "?")[:LONGEST_TEXT].split("/")))


def harmless_query(query: str, *, of_oauth: bool = False) -> str:
    """The parameters that are known to be harmless; of others not even the name, which may be a secret too."""
    known = PARAMETERS - OAUTH_SECRETS if of_oauth else PARAMETERS
    shown = [
        f"{_harmless_name(name)}={harmless_text(value)}" if name.partition(":")[0] in known else CUT
        for name, value in parse_qsl(query, keep_blank_values=True)[:20]
    ]
    return "&".join(shown)


def _harmless_name(name: str) -> str:
    """The name of a known parameter; of a modifier that FHIR has not, nothing."""
    plain, colon, modifier = name.partition(":")
    is_known = modifier in MODIFIERS or any(modifier in resource_types(version) for version in FHIR_VERSIONS)
    return name if is_known or not colon else f"{plain}:{CUT}"
