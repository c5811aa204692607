"""A commit whose answer was not heard: it is asked for, never done again, for a second use ends a family (RF-04)."""

import json
from collections.abc import Mapping
from typing import Any

from oauth.http.machine_request import Attempt, MachineRequest
from oauth.http.machine_response import MachineResponse
from oauth.models import sql
from smart.digests import sha256_hex

# It writes the row again as it is: else nothing would wait for a synchronous standby that does not have it yet.
_COMMITTED = "UPDATE oauth_accesstoken SET revoked_at = revoked_at WHERE digest = %s RETURNING 1"


def remember_attempt(request: MachineRequest, answer: Mapping[str, Any]) -> MachineResponse:
    """The response with this token answer; it is kept with the request before it is committed."""
    response = MachineResponse(200, json.dumps(answer).encode())
    request.attempt = Attempt(sha256_hex(answer["access_token"]), response)
    return response


def unheard_answer(request: MachineRequest) -> MachineResponse | None:
    """What an earlier attempt at this request has committed, None where it has not.

    Ask it once what the request consumes could not be consumed: a commit that was still under way is then over.
    """
    attempt = request.attempt
    if attempt is None or sql.value(_COMMITTED, [attempt.digest]) is None:
        return None
    return attempt.answer
