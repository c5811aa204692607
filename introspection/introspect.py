"""RFC 7662: is this token alive, and what does it allow? One statement, one decision, one answer, nothing cached."""

from dataclasses import replace

from introspection.live_token import Inactive, find_live_use
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from smart.digests import sha256_hex

INACTIVE = MachineResponse(200, b'{"active":false}')


async def introspect(request: MachineRequest) -> MachineResponse:
    """The claims of a live token, or {"active":false}: also for a token that the caller may not ask about (IN-06)."""
    token = request.required("token", rule="IN-01", case="E106")
    try:
        use, policy = await find_live_use(request, sha256_hex(token), token)
    except Inactive as inactive:
        return replace(INACTIVE, explanation=await inactive.explanation())
    return MachineResponse(200, use.introspection_response(policy).encode())
