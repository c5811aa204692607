"""What may this token do at a FHIR server? The OpenID AuthZEN Authorization API, answered as introspection is."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from introspection.live_token import Inactive, find_live_use
from oauth.http.machine_request import MachineRequest
from oauth.http.machine_response import MachineResponse
from smart.decisions.answer import plain_answer
from smart.decisions.authzen import (
    ENTITIES,
    MAX_EVALUATIONS,
    Evaluation,
    MalformedEvaluation,
    PresentedToken,
    parse_evaluation,
    parse_presented_token,
)
from smart.decisions.decide import INVALID_TOKEN, decide
from smart.decisions.ruling import rule
from smart.decisions.subject import InvalidClaims
from smart.decisions.token_at_base import token_at_base
from smart.decisions.view import Reach
from smart.explanation import Explanation, build_explanation
from smart.http.errors import InvalidRequest
from smart.json_output import ascii_json
from smart.time_units import SECOND

Parsed = TypeVar("Parsed")
_AT_ONCE = 10  # entries that are decided before the loop turns to others
ALL, UNTIL_DENIED, UNTIL_PERMITTED = "execute_all", "deny_on_first_deny", "permit_on_first_permit"


class LiveToken:
    """The claims of a token that is good, as JSON, and how far it reaches at a base that it is for."""

    def __init__(self, claims: str, version: str, now: int) -> None:
        self._claims, self._version, self._now = claims, version, now
        self._reach: Reach | None = None

    def reach_at(self, base: str) -> Reach:
        """Its reach at that base, worked out once for the entries of a page. Raises InvalidClaims for another's."""
        if self._reach is None or self._reach.base != base:
            token = token_at_base(self._claims, base, self._now / SECOND)
            self._reach = Reach(token.subject, self._version, base)
        return self._reach


async def evaluate(request: MachineRequest) -> MachineResponse:
    """One decision (AuthZEN §6). A denial is a 200 too: only who cannot be answered at all gets another status."""
    asked = _parse(parse_evaluation, request.members)
    if isinstance(asked, MalformedEvaluation):
        raise _malformed(str(asked))
    try:
        claims, version = await _live_claims(request, asked.about)
        token = token_at_base(claims, asked.base, request.now / SECOND)
    except Inactive as inactive:
        return _json(plain_answer(INVALID_TOKEN, base=asked.base), await inactive.explanation())
    except InvalidClaims as invalid:
        for_another = build_explanation("the token is not for this base", invalid.why)
        return _json(plain_answer(INVALID_TOKEN, base=asked.base), for_another)
    ruling = rule(
        token.subject,
        version,
        asked.base,
        asked.question,
        applies_views=asked.applies_views,
        matches_in_view=asked.matches_in_view,
        spans_types=asked.spans_types,
    )
    why = build_explanation("", ruling.denial.why) if ruling.denial else None
    return MachineResponse(200, ruling.answer(token.claims).encode(), explanation=why)


async def evaluate_many(request: MachineRequest) -> MachineResponse:
    """A decision for each entry, about one token (AuthZEN §7); without entries one decision."""
    entries = request.members.get("evaluations")
    if entries is None or entries == []:
        return await evaluate(request)
    semantic = _semantic(request.members.get("options"))
    if not isinstance(entries, list) or len(entries) > MAX_EVALUATIONS:
        raise _malformed(f"evaluations is not a list of at most {MAX_EVALUATIONS}")
    common = {name: request.members[name] for name in ENTITIES if name in request.members}
    merged = [{**common, **entry} if isinstance(entry, dict) else {} for entry in entries]
    about = _parse(parse_presented_token, next(filter(None, merged), common))
    if isinstance(about, MalformedEvaluation):
        raise _malformed(str(about))
    token, explanation = None, None
    try:  # who asks is known before anything that their request multiplies is looked at
        claims, version = await _live_claims(request, about)
        token = LiveToken(claims, version, request.now)
    except Inactive as inactive:
        explanation = await inactive.explanation()
    found = await decide_until(semantic, (_entry_answer(entry, about, token) for entry in merged))
    return _json({"evaluations": found}, explanation)


def _semantic(options: Any) -> str:
    """How far the entries are decided (§7.1.2.1); a null is as if it were left out, as everywhere."""
    found = options.get("evaluations_semantic") if isinstance(options, dict) else None
    if found is None:
        return ALL
    if found not in (ALL, UNTIL_DENIED, UNTIL_PERMITTED):
        raise _malformed("options.evaluations_semantic is none that is known")
    return str(found)


async def _live_claims(request: MachineRequest, about: PresentedToken) -> tuple[str, str]:
    """The claims of a token that is good, and the FHIR version. Raises Inactive, and what the caller did not prove."""
    use, policy = await find_live_use(request, about.digest, about.token, {"__client_ip": about.address})
    return use.introspection_response(policy), use.found.fhir_server_version or ""


def _entry_answer(entry: Mapping[str, Any], about: PresentedToken, token: LiveToken | None) -> dict[str, Any]:
    """An entry without a view: it is judged by its content, or needs none."""
    asked = _parse(parse_evaluation, entry) if entry else MalformedEvaluation("an entry is not an object")
    if isinstance(asked, Evaluation) and asked.about != about:
        asked = MalformedEvaluation("all entries are about one token, used from one address")
    if isinstance(asked, MalformedEvaluation):
        return {"decision": False, "context": {"error": {"status": 400, "message": str(asked)}}}
    decision = INVALID_TOKEN
    if token is not None:
        with suppress(InvalidClaims):
            decision = decide(token.reach_at(asked.base), asked.question, applies_views=False, is_entry=True)
    return plain_answer(decision, base=asked.base)


def _parse(parser: Callable[[Mapping[str, Any]], Parsed], body: Mapping[str, Any]) -> Parsed | MalformedEvaluation:
    try:
        return parser(body)
    except MalformedEvaluation as error:
        return error


async def decide_until(semantic: str, answers: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The answers as far as they are wanted; the loop turns to other requests in between."""
    stops_at = {UNTIL_DENIED: False, UNTIL_PERMITTED: True}.get(semantic)
    found: list[dict[str, Any]] = []
    for one in answers:
        found.append(one)
        if one["decision"] is stops_at:
            break
        if len(found) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found


def _malformed(description: str) -> InvalidRequest:
    return InvalidRequest(description, rule="SD-27")


def _json(members: Mapping[str, Any], explanation: Explanation | None) -> MachineResponse:
    return MachineResponse(200, ascii_json(members), explanation=explanation)
