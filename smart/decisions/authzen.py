"""The OpenID AuthZEN Authorization API 1.0, as questions about FHIR are asked with it (§5, §6, §7).

Unknown members are ignored (§10.1.1). What is missing or has another type is refused, not guessed.
"""

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from smart.decisions.interactions import COMPARTMENT_INTERACTIONS, EVERY_TYPE, SEARCH_COMPARTMENT, is_id_in_a_path
from smart.decisions.question import ANY_ID, MAX_PARAMETERS, Question, is_search_by_post, question_of_http
from smart.digests import sha256_hex
from smart.fhir.audience import canonical_url
from smart.http.bearer import is_bearer_token
from smart.http.limits import MAX_QUERY

MATCH_FORM = "fhir-match/1"  # beside it: that conditions are looked for among the records of context.match alone
TYPES_FORM = "fhir-types/1"  # and that views are applied to answers of several types, and to those of a compartment
VIEW_FORM = "fhir-view/1"  # what a caller says that it applies, in context.understands
TOKEN, TOKEN_DIGEST = "access_token", "access_token_sha256"  # types of subject
ENTITIES = ("subject", "action", "resource", "context")
MAX_EVALUATIONS = 200
_DIGEST_BYTES = 32


class MalformedEvaluation(ValueError):
    """What is wrong with a request, in words for its developer."""


class PresentedToken(NamedTuple):
    """About which token is asked, and from where it was used, as the FHIR server says.

    `digest` is the token's SHA-256 in hexadecimal, `token` itself is "" where only that came.
    """

    digest: str
    token: str
    address: str


class Evaluation(NamedTuple):
    """One request to decide."""

    about: PresentedToken
    base: str
    question: Question
    applies_views: bool
    matches_in_view: bool = False
    spans_types: bool = False


def parse_presented_token(body: Mapping[str, Any]) -> PresentedToken:
    """About which token a request asks, without a look at what is asked. Raises MalformedEvaluation."""
    return _token_and_context(body)[0]


def parse_evaluation(body: Mapping[str, Any]) -> Evaluation:
    """The request of an evaluation (§6.1). Raises MalformedEvaluation."""
    about, context = _token_and_context(body)
    if "http" in context and "action" not in body and "resource" not in body:
        base, question = _short_form(context)
    else:
        base, question = _parse_question(_object(body, "action"), _object(body, "resource"))
    understood = context.get("understands", [])
    if not isinstance(understood, list):
        raise MalformedEvaluation("context.understands is not a list")
    applies_views = VIEW_FORM in understood
    matches_in_view = applies_views and MATCH_FORM in understood
    return Evaluation(about, base, question, applies_views, matches_in_view, applies_views and TYPES_FORM in understood)


def _token_and_context(body: Mapping[str, Any]) -> tuple[PresentedToken, Mapping[str, Any]]:
    digest, token = _parse_subject(_object(body, "subject"))
    context = _object(body, "context", required=False)
    return PresentedToken(digest, token, _text(context, "client_address", required=False)), context


def _parse_subject(subject: Mapping[str, Any]) -> tuple[str, str]:
    kind, name = _text(subject, "type", of="subject"), _text(subject, "id", of="subject")
    if kind == TOKEN and is_bearer_token(name):
        return sha256_hex(name), name
    if kind == TOKEN_DIGEST and (digest := _digest(name)):
        return digest, ""
    raise MalformedEvaluation(f"subject is not a token as {TOKEN}, or its digest in base64url as {TOKEN_DIGEST}")


def _digest(text: str) -> str:
    try:
        found = urlsafe_b64decode(f"{text}=") if len(text) == 43 else b""
    except (binascii.Error, ValueError):
        return ""
    return found.hex() if len(found) == _DIGEST_BYTES else ""


def _short_form(context: Mapping[str, Any]) -> tuple[str, Question]:
    """The request as the FHIR server got it: method, URL relative to the base, and the form of a search by POST."""
    http, of = _object(context, "http"), "context.http"
    method, url = _text(http, "method", of=of), _text(http, "url", of=of)
    form = _text(http, "form", of=of, required=False)
    if_none_exist = _text(http, "if_none_exist", of=of) if "if_none_exist" in http else None
    if len(url) > MAX_QUERY or len(form) > MAX_QUERY or len(if_none_exist or "") > MAX_QUERY:
        raise MalformedEvaluation(f"{of}.url, form or if_none_exist is longer than {MAX_QUERY} characters")
    try:
        if "form" not in http and is_search_by_post(method, url):
            raise MalformedEvaluation(f"{of}.form is missing: the body of a search by POST, also an empty one")
        if if_none_exist is None and http.get("conditional", False) is not False:
            raise MalformedEvaluation(f"{of}.if_none_exist is missing: the criteria of a conditional create")
        question = question_of_http(method, url, form=form, if_none_exist=if_none_exist)
    except MalformedEvaluation:
        raise
    except ValueError:
        raise MalformedEvaluation(f"{of} is no request, or has more than {MAX_PARAMETERS} parameters") from None
    if "content" in context or "content_before" in context:
        question = question._replace(content=context.get("content"), content_before=context.get("content_before"))
    return _base(context, "context"), question


def _base(members: Mapping[str, Any], of: str) -> str:
    """A FHIR base in the one spelling in which bases are compared."""
    base = _fhir_base(_text(members, "base", of=of))
    if not base:
        raise MalformedEvaluation(f"{of}.base is no URL of a FHIR server")
    return base


@lru_cache(maxsize=64)  # few bases are asked about, each all the time
def _fhir_base(url: str) -> str:
    """Its one spelling, "" for what is no URL of a server."""
    base = canonical_url(url)
    try:
        parts = urlsplit(base)
    except ValueError:
        return ""
    return base if parts.scheme in ("http", "https") and parts.netloc else ""


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
        compartment=_text(properties, "compartment", of="action.properties", required=False),
        types=_texts(properties, "types"),
    )
    _refuse_other_places(question)
    return _base(about, "resource.properties"), question


def _refuse_other_places(question: Question) -> None:
    """What no path of FHIR says: who asked it would take the answer for a narrower one."""
    asked, compartment = question.interaction, question.compartment
    if compartment and (asked not in COMPARTMENT_INTERACTIONS or not is_id_in_a_path(compartment)):
        among = ", ".join(sorted(COMPARTMENT_INTERACTIONS))
        raise MalformedEvaluation(
            f"action.properties.compartment is no id of a patient, or action.name none of {among}"
        )
    if asked == SEARCH_COMPARTMENT and not compartment:
        raise MalformedEvaluation("action.properties.compartment is missing")
    if question.types and not question.is_of_several_types:
        raise MalformedEvaluation("action.properties.types is only for an answer of several types")
    if question.is_of_several_types and question.type != EVERY_TYPE:
        raise MalformedEvaluation(f"resource.type is not {EVERY_TYPE}, as of an answer of several types")
    if question.is_of_several_types and question.id != ANY_ID:
        raise MalformedEvaluation(f"resource.id is not {ANY_ID}: action.properties.compartment names the patient")


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
