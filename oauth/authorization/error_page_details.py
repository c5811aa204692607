"""Below an error page, in development only: which rule refused, which passed, which were not reached (AZ-25)."""

from collections.abc import Mapping
from itertools import takewhile

from django.conf import settings

from smart.authorize.error_pages import Unredirectable
from smart.authorize.request import rule_outcomes
from smart.authorize.unvalidated_request import ClientPolicy
from smart.http.parameters import Parameters

NOT_ON_THE_LIST = frozenset({"E4", "E7"})


def error_page_details(
    refusal: Unredirectable, parameters: Parameters, client: ClientPolicy | None, bases: Mapping[str, str]
) -> dict[str, object]:
    """What stands below the error; nothing at all outside development."""
    if not settings.SMARTAUTH_DEV:
        return {}
    found: dict[str, object] = {
        "rule": refusal.rule,
        "case": refusal.case,
        "client": client.client_id if client else "",
        "outcomes": rule_outcomes(parameters, client, bases),
    }
    if refusal.case in NOT_ON_THE_LIST and client is not None:
        found |= _redirect_uri_difference(parameters.get("redirect_uri", ""), client.redirect_uris)
    return found


def _redirect_uri_difference(sent: str, registered: tuple[str, ...]) -> dict[str, object]:
    same = max((_common_prefix(sent, uri) for uri in registered), key=len, default="")
    return {"sent": sent, "same": same, "different": sent[len(same) :], "registered": registered}


def _common_prefix(sent: str, uri: str) -> str:
    pairs = zip(sent, uri, strict=False)
    return sent[: sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))]
