"""What else happened to a token that is right in itself: how each kind comes to its end, and to its end alone.

Access of a person or client is not ended as a whole for one bad token: its authorization is brought to the state in
which that leaves every one.
"""

import secrets
from collections.abc import Callable, Mapping

from django.db.models import F

from oauth.ending.reasons import EndedFor
from oauth.ending.selection import Actor
from oauth.ending.tokens import END_BY_ID, end_token
from oauth.models import AccessToken, Authorization, Client, ResourceServerRole
from oauth.models.seats import Seat
from oauth.models.servers import AddressPolicy
from oauth.workbench.minting.good_token import CannotMint
from smart.tokens.address_binding import strictest_policy
from smartauth_probe.requests import ANOTHER_ADDRESS

End = Callable[[AccessToken, Actor], None]


def _end_token(reason: EndedFor) -> End:
    def end(token: AccessToken, actor: Actor) -> None:
        end_token(END_BY_ID, [token.pk], actor, reason)

    return end


def _end_authorization(reason: EndedFor, *epochs: str) -> End:
    def end(token: AccessToken, actor: Actor) -> None:
        row = Authorization.objects.filter(pk=token.authorization_id)
        row.end(reason, now=actor.now)
        row.update(**{epoch: F(epoch) - 1 for epoch in epochs})

    return end


def _supersede(token: AccessToken, actor: Actor) -> None:
    """It has the first place in a seat of its own, of which all that count have been taken since."""
    kept: int = token.authorization.client.tokens_to_keep
    seat = Seat.objects.create(key=f"workbench|{secrets.token_hex(16)}", latest_number=1 + kept, latest_launch=1 + kept)
    AccessToken.objects.filter(pk=token.pk).update(seat=seat, seat_number=1)


def _bind_elsewhere(token: AccessToken, actor: Actor) -> None:
    authorization = token.authorization
    client: Client = authorization.client
    policy = strictest_policy(authorization.fhir_server.address_policy, client.address_policy)
    if policy not in {AddressPolicy.BLOCK, AddressPolicy.END}:
        raise CannotMint("it takes a client or FHIR server with the address policy block, such as demo-symmetric")
    if not ResourceServerRole.objects.filter(fhir_server=authorization.fhir_server, tells_addresses=1).exists():
        raise CannotMint("it takes a FHIR server whose __client_ip is believed")
    Authorization.objects.filter(pk=authorization.pk).update(use_address=ANOTHER_ADDRESS)


ENDINGS: Mapping[str, End] = {
    "revoked": _end_token(EndedFor.REVOKED),
    "superseded": _supersede,
    "authorization-ended": _end_authorization(EndedFor.PERSON),
    "person-ended": _end_authorization(EndedFor.PERSON_ENDED, "user_epoch"),
    "client-ended": _end_authorization(EndedFor.CLIENT_ENDED, "client_epoch"),
    "client-disabled": _end_authorization(EndedFor.CLIENT_DISABLED, "client_epoch"),
    "address-blocked": _bind_elsewhere,
    "tampered-original": _end_token(EndedFor.TAMPERED),
}
