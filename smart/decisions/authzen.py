"""The OpenID AuthZEN Authorization API 1.0, as questions about FHIR are asked with it (§5, §6, §7).

Unknown members are ignored (§10.1.1). What is missing or has another type is refused, not guessed.
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from smart.decisions.question import ANY_ID, MAX_PARAMETERS, Question, question_of_http
from smart.digests import sha256_hex
from smart.http.bearer import is_bearer_token

VIEW_FORM = "fhir-view/1"  # what a caller says that it applies, in context.understands
TOKEN, TOKEN_DIGEST = "access_token", "access_token_sha256"  # types of subject
ENTITIES = ("subject", "action", "resource", "context")
MAX_EVALUATIONS = 200
_DIGEST_BYTES = 32


class MalformedEvaluation(ValueError):
    """What is wrong with a request, in words for its developer."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One request to decide. `digest` is the token's SHA-256 in hexadecimal, `token` itself is "" where only that came.

    `address` is from where the request came that is asked about, as the FHIR server says.
    """

    digest: str
    token: str
    base: str
    question: Question
    applies_views: bool
    address: str


def parse_evaluation(body: Mapping[str, Any]) -> Evaluation:
    """The request of an evaluation (§6.1). Raises MalformedEvaluation."""
    context = _object(body, "context", required=False)
    digest, token = _parse_subject(_object(body, "subject"))
    if "http" in context and "action" not in body and "resource" not in body:
        base, question = _short_form(context)
    else:
        base, question = _parse_question(_object(body, "action"), _object(body, "resource"))
    understood = context.get("understands", [])
    if not isinstance(understood, list):
        raise MalformedEvaluation("context.understands is not a list")
    address = _text(context, "client_address", required=False)
    return Evaluation(digest, token, base, question, VIEW_FORM in understood, address)


def _parse_subject(subject: Mapping[str, Any]) -> tuple[str, str]:
    kind, name = _text(subject, "type", of="subject"), _text(subject, "id", of="subject")
    if kind == TOKEN and is_bearer_token(name):
        return sha256_hex(name), name
    if kind == TOKEN_DIGEST and (digest := _digest(name)):
        return digest, ""
    raise MalformedEvaluation(f"subject is not a token as {TOKEN}, or its digest in base64url as {TOKEN_DIGEST}")


def _digest(text: str) -> str:
    try:
        found = urlsafe_b64decode(f"{text}=") if len(text) == 43 and text.isascii() else b""
    except (binascii.Error, ValueError):
        return ""
    return found.hex() if len(found) == _DIGEST_BYTES else ""


def _short_form(context: Mapping[str, Any]) -> tuple[str, Question]:
    """The request as the FHIR server got it: method, and URL relative to the base."""
    http = _object(context, "http")
    method, url = _text(http, "method", of="context.http"), _text(http, "url", of="context.http")
    try:
        question = question_of_http(method, url)
    except ValueError:
        raise MalformedEvaluation(f"context.http.url is no URL, or has more than {MAX_PARAMETERS} parameters") from None
    contents = {name: context[name] for name in ("content", "content_before") if name in context}
    return _text(context, "base", of="context"), replace(question, **contents)


def _parse_question(action: Mapping[str, Any], resource: Mapping[str, Any]) -> tuple[str, Question]:
    properties, about = _object(action, "properties", required=False), _object(resource, "properties")
    question = Question(
        _text(action, "name", of="action"),
        _text(resource, "type", of="resource"),
        _text(resource, "id", of="resource") or ANY_ID,
        parameters=_texts(properties, "parameters"),
        include=_texts(properties, "include"),
        revinclude=_texts(properties, "revinclude"),
        sort=_texts(properties, "sort"),
        is_conditional=properties.get("conditional", False) is not False,
        content=about.get("content"),
        content_before=about.get("content_before"),
    )
    return _text(about, "base", of="resource.properties"), question


def _object(members: Mapping[str, Any], name: str, *, required: bool = True) -> Mapping[str, Any]:
    found = members.get(name)
    if found is None and not required:
        return {}
    if not isinstance(found, dict):
        raise MalformedEvaluation(f"{name} is missing" if found is None else f"{name} is not an object")
    return found


def _text(members: Mapping[str, Any], name: str, *, of: str = "context", required: bool = True) -> str:
    found = members.get(name)
    if found is None and not required:
        return ""
    if not isinstance(found, str):
        raise MalformedEvaluation(f"{of}.{name} is missing" if found is None else f"{of}.{name} is not text")
    return found


def _texts(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = members.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise MalformedEvaluation(f"action.properties.{name} is not a list of texts")
    if len(found) > MAX_PARAMETERS:
        raise MalformedEvaluation(f"action.properties.{name} has more than {MAX_PARAMETERS} items")
    return tuple(found)
