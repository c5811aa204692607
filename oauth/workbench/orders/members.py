"""An order as JSON says it: the members that `POST /dev/tokens` takes, and the token that they ask for."""

from django.conf import settings

from oauth.http.json_members import Members, required_text
from oauth.workbench.memory.minted_kinds import MINTED_KIND
from oauth.workbench.minting.good_token import CannotMint
from oauth.workbench.orders.backend_token import issue_to_backend, parse_backend_order
from oauth.workbench.orders.changes import parse_changes
from oauth.workbench.orders.order import NO_PATIENT, find_client, parse_order
from oauth.workbench.orders.ordered_token import OrderedToken, create_token
from smartauth_probe.token_order import TEXTS


def about_order(asked: Members, made: OrderedToken) -> dict[str, str]:
    """Client, person, FHIR server and patient of the token, and its kind where it is a bad one."""
    known = {"client_id": str(asked["client"]), "username": str(asked.get("user", ""))}
    kind = {MINTED_KIND: made.kind.name} if made.kind else {}
    return {**known, "aud": made.server.base, "patient": made.patient, **kind}


def create_from_members(asked: Members) -> OrderedToken:
    """The token that these members ask for, for every door in development. Raises InvalidOrder, CannotMint."""
    if not settings.SMARTAUTH_DEV:
        raise CannotMint("tokens are given away like this in development only")
    without_patient = asked.get("patient") == NO_PATIENT
    named = [name for name in TEXTS if name in asked and not (name == "patient" and without_patient)]
    texts = {name: required_text(asked, name) for name in named}
    client, changes = find_client(required_text(asked, "client")), parse_changes(asked)
    scope, aud, bad = texts.get("scope"), texts.get("aud"), texts.get("bad", "")
    if "user" in texts:
        patient = NO_PATIENT if without_patient else texts.get("patient")
        order = parse_order(client, texts["user"], scope, aud, patient)
        return create_token(order, changes, bad=bad, listener=texts.get("listener", ""))
    if not (bad or changes):
        return issue_to_backend(client, scope, aud)
    service = parse_backend_order(client, scope, aud, texts.get("patient"))
    return create_token(service, changes, bad=bad, listener=texts.get("listener", ""))
