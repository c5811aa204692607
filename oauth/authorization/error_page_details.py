"""Below an error page, in development only: which rule refused, which passed, which were not reached (AZ-25)."""

from collections.abc import Mapping
from os.path import commonprefix

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
    same = max((commonprefix([sent, uri]) for uri in registered), default="")  # noqa: RUF071  # letter by letter
    return {"sent": sent, "same": same, "different": sent[len(same) :], "registered": registered}
