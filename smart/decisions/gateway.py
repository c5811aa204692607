"""A decision for a gateway that reads a status and headers alone: nginx auth_request, Envoy ext_authz, Kong.

Each header that says what the gateway asks is set by it: one that is missing or repeated could be the client's.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from smart.decisions.authzen import VIEW_FORM
from smart.decisions.question import criteria_of_header, is_search_by_post, question_of_http
from smart.http.bearer import bearer_credentials, is_bearer_token
from smart.http.limits import MAX_QUERY
from smart.text import is_printable_ascii

GATEWAY = "/access/v1/gateway"
CREDENTIALS, BASE, UNDERSTANDS = "x-smartauth-authorization", "x-smartauth-base", "x-smartauth-understands"
PATIENT, NOTHING = "patient", "nothing"  # what a gateway says that it applies
# method and URL of the client's request: as nginx configurations name them, and as proxies do (X-Forwarded-*)
ORIGINALS = (("x-original-method", "x-original-uri"), ("x-forwarded-method", "x-forwarded-uri"))
CLAIMS = {"client_id": "X-Smartauth-Client", "sub": "X-Smartauth-Sub", "fhirUser": "X-Smartauth-Fhir-User"}

_LIMITED_TO_A_PATIENT = frozenset({"read", "vread", "history-instance", "search-type"})
_NEVER_IN_A_URL = frozenset(' "#<>\\^`{|}')
_UNKNOWN_URL = ""  # of no resource: refused to every token
_REFUSED_CRITERIA = "_query"  # a search that nobody has a view for
_LONGEST_CLAIM = 1000

Lines = Sequence[tuple[bytes, bytes]]


class MalformedGatewayRequest(ValueError):
    """What is wrong with the gateway's own request, in words for its operator."""


class GatewayAnswer(NamedTuple):
    """What a gateway is told: 200, 401 or 403, and headers."""

    status: HTTPStatus
    headers: dict[str, str]


def evaluation_of(lines: Lines, method: str, below: str) -> dict[str, Any]:
    """The AuthZEN request that a gateway's headers stand for. `below` is the URL that it put behind the endpoint's.

    Raises MalformedGatewayRequest.
    """
    base, understands = _only(lines, BASE), _only(lines, UNDERSTANDS)
    if understands not in (PATIENT, NOTHING):
        raise MalformedGatewayRequest(f"{UNDERSTANDS} is neither {PATIENT} nor {NOTHING}")
    method, target = _original_request(lines, method, below)
    url = _relative_url(method, target, base)
    http = {"method": method, "url": url, **_criteria(lines)}
    context = {"base": base, "http": http, "understands": [VIEW_FORM] if understands == PATIENT else []}
    return {"subject": {"type": "access_token", "id": _token(lines)}, "context": {**context, **_content(method, url)}}


def challenge(evaluation: Mapping[str, Any]) -> str:
    """What WWW-Authenticate says where there is no token to ask about, "" where there is one (RFC 6750 §3)."""
    token = evaluation["subject"]["id"]
    if not token:
        return "Bearer"
    return "" if is_bearer_token(token) else 'Bearer error="invalid_token"'


def gateway_answer(evaluation: Mapping[str, Any], answer: Mapping[str, Any]) -> GatewayAnswer:
    """The answer to that request in headers. A conditional yes is one where the gateway limits it to one patient."""
    context = answer["context"]
    if answer["decision"] is not True:
        return _refusal(context["http"])
    http, limits = evaluation["context"]["http"], {"X-Smartauth-View": "all"}
    if "view" in context and not _is_everything(context["view"]):
        patient = _patient_of_all(context["view"])
        if not patient or question_of_http(**http).interaction not in _LIMITED_TO_A_PATIENT:
            return _refusal({"status": HTTPStatus.FORBIDDEN, "headers": {}})
        limits = {"X-Smartauth-View": PATIENT, "X-Smartauth-Patient": patient}
    return GatewayAnswer(HTTPStatus.OK, {**_claims(context["claims"]), **limits})


def _only(lines: Lines, name: str, *, required: bool = True) -> str:
    """The value of a header that is there once."""
    # blanks of HTTP alone (RFC 9110 §5.6.3): another byte at the end is part of the URL to the server behind
    found = [value.decode("latin-1").strip(" \t") for key, value in lines if key == name.encode()]
    if len(found) > 1 or (required and not any(found)):
        raise MalformedGatewayRequest(f"{name} must be sent once, by the gateway")
    return found[0] if found else ""


def _original_request(lines: Lines, method: str, below: str) -> tuple[str, str]:
    """Method and URL of the client's request, said in one way alone: of two, one could be the client's."""
    said = [(method, below)] if below else []
    for of_method, of_url in ORIGINALS:
        pair = _only(lines, of_method, required=False), _only(lines, of_url, required=False)
        if any(pair):
            said.append(pair)
    if len(said) != 1 or not all(said[0]):
        ways = " or ".join(" and ".join(names) for names in ORIGINALS)
        raise MalformedGatewayRequest(f"the request must be told in one way: {ways}, or behind {GATEWAY}")
    return said[0]


def _relative_url(method: str, target: str, base: str) -> str:
    """The URL below the base; that of no resource for one that is not there, or that nobody can judge here."""
    root = urlsplit(base).path.rstrip("/") + "/"
    url = target.removeprefix(root)
    if not target.startswith(root) or url.startswith("/") or len(url) > MAX_QUERY or not _is_plain(url):
        return _UNKNOWN_URL
    try:
        question_of_http(method, url)
        # the parameters of a search by POST stand in a body that no gateway sends along
        return _UNKNOWN_URL if is_search_by_post(method, url) else url
    except ValueError:
        return _UNKNOWN_URL


def _criteria(lines: Lines) -> dict[str, str]:
    """Those of a conditional create, of each such header; of what nobody can judge here something that is refused."""
    sent = [value.decode("latin-1") for key, value in lines if key == b"if-none-exist"]
    if not sent:
        return {}
    criteria = "&".join(sent)
    try:
        criteria_of_header(criteria)
    except ValueError:
        return {"if_none_exist": _REFUSED_CRITERIA}
    return {"if_none_exist": criteria if len(criteria) <= MAX_QUERY else _REFUSED_CRITERIA}


def _is_plain(url: str) -> bool:
    return is_printable_ascii(url) and _NEVER_IN_A_URL.isdisjoint(url)


def _token(lines: Lines) -> str:
    """What the client's request presents as a bearer token; of two headers something that is none (RFC 6750 §2)."""
    sent = ", ".join(value.decode("latin-1") for key, value in lines if key == b"authorization")
    return bearer_credentials(sent) or ""


def _content(method: str, url: str) -> dict[str, Any]:
    """All that a Patient's compartment asks of a Patient is its id, so that a read of one is decided for good."""
    question = question_of_http(method, url)
    if question.type == "Patient" and question.interaction in ("read", "vread"):
        return {"content": {"resourceType": "Patient", "id": question.id}}
    return {}


def _patient_of_all(view: Mapping[str, Any]) -> str:
    """The patient whose whole compartment each type of the view opens, "" where there is none."""
    per_type = [{_patient(alternative) for alternative in alternatives} for alternatives in view.values()]
    common = set.intersection(*per_type) - {""} if per_type else set()
    return min(common, default="")


def _is_everything(view: Mapping[str, Any]) -> bool:
    """Whether it leaves out nothing of any type that was asked for."""
    return bool(view) and all({"who": "all", "where": []} in alternatives for alternatives in view.values())


def _patient(alternative: Mapping[str, Any]) -> str:
    match alternative:
        case {"who": {"compartments": [str(reference)]}, "where": []}:
            return reference.removeprefix("Patient/")
    return ""


def _claims(claims: Mapping[str, Any]) -> dict[str, str]:
    said = {header: claims.get(claim) for claim, header in CLAIMS.items()}
    return {header: value for header, value in said.items() if isinstance(value, str) and _fits_a_header(value)}


def _fits_a_header(value: str) -> bool:
    return bool(value) and is_printable_ascii(value) and len(value) <= _LONGEST_CLAIM


def _refusal(http: Mapping[str, Any]) -> GatewayAnswer:
    """nginx knows 401 and 403; what the client is to be told stands beside it."""
    status = http["status"]
    is_of_token = status == HTTPStatus.UNAUTHORIZED
    shown = HTTPStatus.UNAUTHORIZED if is_of_token else HTTPStatus.FORBIDDEN
    return GatewayAnswer(shown, {**http["headers"], "X-Smartauth-Status": str(int(status))})
