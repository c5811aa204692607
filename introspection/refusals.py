"""Why an introspection answers {"active":false}, for who develops: the answer itself never tells (IN-06)."""

import json

from introspection.address_binding import Use
from introspection.token_lookup import LookupRow, dead_reason
from oauth.ending.first_cause import first_cause, token_with_cause
from oauth.models import RefreshToken
from smart.explanation import Explanation
from smart.tokens.liveness import ISSUED, Dead

MOST_CAUSES = 10_000
_causes: dict[tuple[int, Dead | None], Explanation] = {}


def unknown(digest: str, otherwise: Explanation) -> Explanation:
    """It is no access token; a refresh token of ours is called what it is (IN-08)."""
    if RefreshToken.objects.filter(digest=digest).exists():
        return Explanation("IN-08", "it is a refresh token, which opens no records", case="E107")
    return otherwise


def not_its_token(found: LookupRow, caller: str) -> Explanation:
    """It lives, or not: the caller is told nothing of the tokens of other FHIR servers."""
    base = json.loads(found.claims).get("aud", "")
    what = "the caller is no resource server of the FHIR server that the token is for"
    return Explanation("IN-07", what, presented=caller, expected=f"a resource server of {base}", case="E107")


def dead(found: LookupRow, now: int) -> Explanation:
    """By what ended it first, and since when. That stays so, and is looked up once for who keeps asking."""
    key = (found.token or 0, dead_reason(found, now))
    cause = _causes.get(key)
    if cause is None:
        token = token_with_cause(now=now, pk=found.token)
        cause = (first_cause(token) if token else None) or Explanation(ISSUED.rule, ISSUED.broken, case="E107")
        if len(_causes) >= MOST_CAUSES:
            _causes.clear()
        _causes[key] = cause
    return cause


def another_address(use: Use) -> Explanation:
    """It lives, but may not be used from there."""
    what = f"it was used from another address, and the policy is {use.policy}"
    return Explanation("PR-06", what, presented=use.address, expected=use.found.use_address or "", case="E107")
