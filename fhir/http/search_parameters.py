"""The parameters of a search, from the URL and from a posted form (FHIR search, POST _search)."""

from collections.abc import Mapping

from rest_framework.request import Request

from fhir.http import media
from fhir.http.body import raw_body
from fhir.operation_outcome import BadRequest, TooLarge
from fhir.search import query
from fhir.versions.version import Version
from smart.decisions.question import criteria_of_header
from smart.http.limits import size_refusal


def url_parameters(request: Request) -> query.Pairs:
    """The parameters in the URL. A token among them lets nobody in, and is refused by the decision (TV-17)."""
    raw = request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    if (status := size_refusal(query=len(raw), body=0)) is not None:
        raise TooLarge(status)
    return query.parse_parameters(raw)


def if_none_exist(headers: Mapping[str, str]) -> query.Pairs | None:
    """The criteria of a conditional create, None for a request that is none (FHIR http §3.2.0.7.1)."""
    sent = headers.get("If-None-Exist")
    if sent is None:
        return None
    try:
        return criteria_of_header(sent)
    except ValueError:
        raise BadRequest("If-None-Exist has more parameters than anybody needs.") from None


def form_parameters(request: Request, version: Version) -> query.Pairs:
    """Those of a search by POST. Raises UnsupportedMediaType for what is no form."""
    body = raw_body(request)
    if body:
        media.check_form(request.META.get("CONTENT_TYPE", ""), version)
    return query.parse_parameters(body)
