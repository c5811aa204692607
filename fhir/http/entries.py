"""The entries of a batch, read as the requests that they stand for (FHIR http, batch)."""

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from fhir.http.body import JSON_PATCH, parse_strictly
from fhir.http.interaction import Asked
from fhir.operation_outcome import BadRequest, FhirError
from fhir.search.query import parse_parameters
from smart.decisions.interactions import LETTERS, LETTERS_OF_EACH
from smart.decisions.question import split_url
from smart.fhir import json_text

MAX_ENTRIES = 100
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HEADERS = {
    "ifMatch": "If-Match",
    "ifNoneMatch": "If-None-Match",
    "ifNoneExist": "If-None-Exist",
    "ifModifiedSince": "If-Modified-Since",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A request of a batch, or what is wrong with it; `full_url` is what other entries link to."""

    request: Asked | FhirError
    full_url: str = ""

    def asked(self) -> Asked:
        """The request. Raises what is wrong with it."""
        if isinstance(self.request, FhirError):
            raise self.request
        return self.request


def parse_entries(text: str, base: str) -> list[Entry]:
    """All of them, each good or bad by itself. Raises BadRequest where they are no list, or too many."""
    try:
        texts = json_text.items(text)
    except ValueError:
        raise BadRequest("The entries of a Bundle are a list.") from None
    if len(texts) > MAX_ENTRIES:
        raise BadRequest(f"A Bundle has at most {MAX_ENTRIES} entries here.")
    return [_entry(one, base) for one in texts]


def _entry(text: str, base: str) -> Entry:
    try:
        parts = json_text.members(text)
        request, full_url = json.loads(parts.get("request", "null")), json.loads(parts.get("fullUrl", '""'))
        if not _is_here(full_url, base):
            raise BadRequest("fullUrl is no urn:uuid: and no URL below this base.")
        return Entry(_asked(request, parts.get("resource", "")), full_url)
    except FhirError as error:
        return Entry(error)
    except ValueError:
        return Entry(BadRequest("An entry is no object."))


def _is_here(full_url: Any, base: str) -> bool:
    return isinstance(full_url, str) and (not full_url or full_url.startswith(("urn:uuid:", f"{base}/")))


def _asked(request: Any, resource: str) -> Asked:
    """Raises BadRequest for what is no interaction: another batch, an operation, another server (BT-06, BT-07)."""
    if not isinstance(request, dict):
        raise BadRequest("An entry has no request.")
    method, url = request.get("method"), request.get("url")
    if method not in _METHODS or not isinstance(url, str):
        raise BadRequest("The request of an entry names no method and URL.")
    try:
        path, query = split_url(url)
    except ValueError:
        raise BadRequest("The URL of an entry is one below this base.") from None
    interaction = path.interaction(method)
    is_known = interaction in LETTERS or interaction in LETTERS_OF_EACH
    if not is_known or (method == "POST" and interaction != "create"):
        raise BadRequest("An entry is none of the interactions that a batch may hold.")
    body = _patch(resource) if interaction == "patch" else resource
    if interaction in ("create", "update") and not body:
        raise BadRequest("The entry has no resource.")
    new_id = str(uuid4()) if interaction == "create" else ""
    return Asked(method, path, parse_parameters(query.encode()), _headers(request), body, new_id)


def _headers(request: Mapping[str, Any]) -> dict[str, str]:
    found = {header: request[name] for name, header in _HEADERS.items() if name in request}
    if not all(isinstance(value, str) for value in found.values()):
        raise BadRequest("A condition of an entry is no text.")
    return found


def _patch(resource: str) -> str:
    """A JSON Patch travels in a Binary (FHIR http, patch in a batch)."""
    binary = json.loads(resource or "null")
    if not isinstance(binary, dict) or (binary.get("resourceType"), binary.get("contentType")) != (
        "Binary",
        JSON_PATCH,
    ):
        raise BadRequest(f"A patch in a batch is a Binary of {JSON_PATCH}.")
    try:
        text = b64decode(str(binary.get("data", "")), validate=True).decode()
    except (binascii.Error, ValueError):
        raise BadRequest("The data of the Binary is no base64 of UTF-8.") from None
    parse_strictly(text)
    return text
