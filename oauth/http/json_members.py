"""What the body of a JSON request says, member by member."""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework.request import Request

from oauth.http.credentials import ASSERTION_PARAMETERS
from smart.authorize.launch import InvalidContext, parse_text
from smart.http.errors import InvalidRequest

Members = Mapping[str, Any]


def json_body(request: Request) -> dict[str, Any]:
    """The members of the body that say something, without those that only prove who sent it. Raises InvalidRequest."""
    if ASSERTION_PARAMETERS[0] in dict(request.data) and "HTTP_AUTHORIZATION" in request.META:
        raise InvalidRequest("the client authenticated in two ways", rule="CL-01", case="E54")
    said = {name: value for name, value in dict(request.data).items() if value is not None}
    return {name: value for name, value in said.items() if name not in ASSERTION_PARAMETERS}


def reject_unknown(members: Members, names: Collection[str]) -> None:
    """Raises InvalidRequest for a member that has another name."""
    for name in members:
        if name not in names:
            raise InvalidRequest(f"{name[:40]} is not known here")


def required_text(members: Members, name: str, most: int = 1000) -> str:
    """A member that must be there, as text. Raises InvalidRequest."""
    if name not in members:
        raise InvalidRequest(f"{name} is missing")
    try:
        return parse_text(members[name], name, most)
    except InvalidContext as problem:
        raise InvalidRequest(str(problem)) from None
