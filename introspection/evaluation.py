"""What may this token do at a FHIR server? The OpenID AuthZEN Authorization API, answered as introspection is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from introspection.live_token import Inactive, find_live_use
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from smart.decisions.answer import answer, plain_answer
from smart.decisions.authzen import ENTITIES, MAX_EVALUATIONS, Evaluation, MalformedEvaluation, parse_evaluation
from smart.decisions.caller import Caller, InvalidClaims, read_caller
from smart.decisions.decide import INVALID_TOKEN, Decision, decide
from smart.explanation import Explanation, explain
from smart.http.errors import InvalidRequest
from smart.time_units import SECOND

ALL, UNTIL_DENIED, UNTIL_PERMITTED = "execute_all", "deny_on_first_deny", "permit_on_first_permit"


class Speaker:
    """A live token as decisions need it: its caller, claims and FHIR version."""

    def __init__(self, caller: Caller, claims: Mapping[str, Any], version: str) -> None:
        self.caller, self.claims, self.version = caller, claims, version

    def decide(self, asked: Evaluation, *, applies_views: bool) -> Decision:
        return decide(self.caller, asked.question, version=self.version, base=asked.base, applies_views=applies_views)


async def evaluate(request: MachineRequest) -> MachineResponse:
    """One decision (AuthZEN §6). A denial is a 200 too: only who cannot be answered at all gets another status."""
    return await _evaluate(request, request.members)


async def evaluate_many(request: MachineRequest) -> MachineResponse:
    """A decision for each entry, about one token (AuthZEN §7); without entries one decision."""
    entries = request.members.get("evaluations")
    if entries is None or entries == []:
        return await _evaluate(request, request.members)
    if not isinstance(entries, list) or len(entries) > MAX_EVALUATIONS:
        raise _malformed(f"evaluations is not a list of at most {MAX_EVALUATIONS}")
    options = request.members.get("options")
    semantic = options.get("evaluations_semantic", ALL) if isinstance(options, dict) else ALL
    if semantic not in (ALL, UNTIL_DENIED, UNTIL_PERMITTED):
        raise _malformed("options.evaluations_semantic is none that is known")
    asked = [_parse_entry(entry, request.members) for entry in entries]
    first = next((one for one in asked if isinstance(one, Evaluation)), None)
    if first is None:
        raise _malformed(str(asked[0]))
    speaker, why = await _speaker(request, first)
    found = list(_until(semantic, (_entry_answer(one, first, speaker) for one in asked)))
    return replace(_json({"evaluations": found}), explanation=why)


async def _evaluate(request: MachineRequest, members: Mapping[str, Any]) -> MachineResponse:
    try:
        asked = parse_evaluation(members)
    except MalformedEvaluation as error:
        raise _malformed(str(error)) from None
    speaker, why = await _speaker(request, asked)
    if speaker is None:
        return replace(_json(plain_answer(INVALID_TOKEN, base=asked.base)), explanation=why)
    decision = speaker.decide(asked, applies_views=asked.applies_views)
    return _json(answer(decision, version=speaker.version, base=asked.base, claims=speaker.claims))


async def _speaker(request: MachineRequest, asked: Evaluation) -> tuple[Speaker | None, Explanation | None]:
    """Who the token speaks for at that base; None for one that opens nothing there, and in development why."""
    told = {"__client_ip": asked.address} if asked.address else {}
    try:
        use, policy = await find_live_use(request, asked.digest, asked.token, told)
        claims = json.loads(use.introspection_response(policy))
        caller = read_caller(claims, asked.base, request.now / SECOND)
        return Speaker(caller, claims, use.found.fhir_version or ""), None
    except Inactive as inactive:
        return None, await inactive.explanation()
    except InvalidClaims as invalid:
        return None, explain("the token is not for this base", invalid.why)


def _parse_entry(entry: Any, defaults: Mapping[str, Any]) -> Evaluation | MalformedEvaluation:
    """An entry with what the request says for all of them; an entity of its own takes the place of the common one."""
    if not isinstance(entry, dict):
        return MalformedEvaluation("an entry is not an object")
    common = {name: defaults[name] for name in ENTITIES if name in defaults}
    try:
        return parse_evaluation({**common, **entry})
    except MalformedEvaluation as error:
        return error


def _entry_answer(
    asked: Evaluation | MalformedEvaluation, first: Evaluation, speaker: Speaker | None
) -> dict[str, Any]:
    """An entry without a view: it is judged by its content, or needs none."""
    if isinstance(asked, Evaluation) and (asked.digest, asked.base) != (first.digest, first.base):
        asked = MalformedEvaluation("all entries are about one token and one base")
    if isinstance(asked, MalformedEvaluation):
        return {"decision": False, "context": {"error": {"status": 400, "message": str(asked)}}}
    decision = speaker.decide(asked, applies_views=False) if speaker else INVALID_TOKEN
    return plain_answer(decision, base=asked.base)


def _until(semantic: str, answers: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    stops_at = {UNTIL_DENIED: False, UNTIL_PERMITTED: True}.get(semantic)
    for one in answers:
        yield one
        if one["decision"] is stops_at:
            return


def _malformed(description: str) -> InvalidRequest:
    return InvalidRequest(description, rule="SD-27")


def _json(members: Mapping[str, Any]) -> MachineResponse:
    return MachineResponse(200, json.dumps(members).encode())
