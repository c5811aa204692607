"""What a client hears of scopes that it asked for and cannot be granted: each with the reason (SCP-06, E15 to E17)."""

from smart.clients.scope_rules import ScopeHolder, scope_problem
from smart.http.errors import InvalidScope
from smart.scopes.scope import Scope
from smart.scopes.scope_sets import FHIR_USER, parse_scopes, scopes_beyond
from smart.text import ascii_excerpt
from smart.tokens.refresh import ONLINE

MOST = 5
LONGEST_NAME = 100
NOT_REGISTERED = "is more than is registered for this client"


def scope_refusal(
    requested: str, granted: str, holder: ScopeHolder, *, registered: str = "", is_ehr_launch: bool = True
) -> InvalidScope:
    """The refusal of a request of which only `granted` can be granted, "" for nothing, of what is registered."""
    refused = scopes_beyond(requested, granted)
    asked = parse_scopes(requested)
    each = [
        f"{ascii_excerpt(scope.name, LONGEST_NAME)} ({_reason(scope, asked, holder, is_ehr_launch)})"
        for scope in refused
    ]
    more = f" and {len(each) - MOST} more" if len(each) > MOST else ""
    begin = "some of the scopes cannot" if granted else "none of the scopes can"
    sentence = f"{begin} be granted to this client: {', '.join(each[:MOST])}{more}"
    case = _case(refused, granted, is_service=holder.is_service)
    return InvalidScope(sentence, rule="SCP-06", case=case, presented=requested, expected=granted or registered)


def _case(refused: tuple[Scope, ...], granted: str, *, is_service: bool) -> str:
    """The row of the bad input: a part, nothing that is left, or only what no client of this kind gets."""
    if is_service:
        return "E98" if all(scope.context != "system" for scope in refused) else "E96"
    if granted:
        return "E15"
    return "E17" if all(scope.context == "system" or scope.query for scope in refused) else "E16"


def _reason(scope: Scope, asked: tuple[Scope, ...], holder: ScopeHolder, is_ehr_launch: bool) -> str:
    alone = "openid" not in {other.short_name for other in asked}
    if problem := scope_problem(scope, holder):
        return problem
    if alone and (holder.openid or scope.short_name in FHIR_USER):
        return "is granted only together with openid"
    if scope.short_name == ONLINE and not is_ehr_launch:
        return "is granted only where an EHR launches the app"
    return _backend_reason(scope, asked, holder) if holder.is_service else NOT_REGISTERED


def _backend_reason(scope: Scope, asked: tuple[Scope, ...], holder: ScopeHolder) -> str:
    if scope.context == "patient" and not holder.patient:
        return "the client is bound to no patient"
    if scope.context == "system" and holder.patient and any(other.context == "patient" for other in asked):
        return "is not granted beside scopes of one patient"
    return NOT_REGISTERED
