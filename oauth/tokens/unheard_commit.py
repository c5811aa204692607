"""A commit whose answer was not heard: it is asked for, never done again, for a second use ends a family (RF-04)."""

from collections.abc import Mapping
from typing import Any

from oauth.http.machine_request import Attempt, MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from smart.digests import sha256_hex
from smart.json_output import ascii_json

_WRITE_AGAIN = "UPDATE oauth_accesstoken SET revoked_at = revoked_at WHERE digest = %s RETURNING 1"


def remember_attempt(request: MachineRequest, answer: Mapping[str, Any]) -> MachineResponse:
    """The response with this token answer; it is kept with the request before it is committed."""
    response = MachineResponse(200, ascii_json(answer))
    request.attempt = Attempt(sha256_hex(answer["access_token"]), response)
    return response


def unheard_answer(request: MachineRequest) -> MachineResponse | None:
    """What an earlier attempt at this request has committed, None where it has not.

    Ask it once what the request consumes could not be consumed: a commit that was still under way is then over.
    """
    attempt = request.attempt
    return attempt.answer if attempt and write_again(attempt.digest) else None


def write_again(digest: str) -> bool:
    """Whether there is an access token of that digest. Its row is written again, as it is.

    This database alone may know it: a commit that has written nothing waits for no synchronous standby.
    """
    return sql.value(_WRITE_AGAIN, [digest]) is not None
