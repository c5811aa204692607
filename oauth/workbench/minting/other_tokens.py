"""Genuine tokens of other kinds, each as its endpoint leaves it: in the place of an access token they are bad ones."""

from collections.abc import Callable, Mapping

from oauth.models import Authorization, Code, Launch, RefreshToken
from smart.digests import random_token, sha256_hex
from smart.time_units import SECOND

Create = Callable[[str, Authorization, int], object]
LIFE = 300 * SECOND


def _refresh_token(token: str, authorization: Authorization, now: int) -> object:
    return RefreshToken.objects.create(
        digest=sha256_hex(token),
        authorization=authorization,
        authorization_epoch=authorization.epoch,
        launched_at=now,
        issued_at=now,
        expires_at=now + LIFE,
    )


def _code(token: str, authorization: Authorization, now: int) -> object:
    """Nobody has the verifier of this one, so it buys nothing."""
    return Code.objects.create(
        digest=sha256_hex(token),
        authorization=authorization,
        authorization_epoch=authorization.epoch,
        redirect_uri=(authorization.client.redirect_uris.split() or [""])[0],
        code_challenge=random_token(),
        issued_at=now,
        expires_at=now + LIFE,
    )


def _launch_handle(token: str, authorization: Authorization, now: int) -> object:
    assert authorization.user is not None  # noqa: S101  # no such token is made for a service
    return Launch.objects.create(
        digest=sha256_hex(token),
        client=authorization.client,
        fhir_server=authorization.fhir_server,
        user=authorization.user,
        context=authorization.context,
        created_at=now,
        expires_at=now + LIFE,
    )


OTHER_TOKENS: Mapping[str, Create] = {
    "refresh-token": _refresh_token,
    "code": _code,
    "launch-handle": _launch_handle,
}


def create(kind: str, authorization: Authorization, *, now: int) -> str:
    """A token of that kind that belongs to the authorization."""
    token = random_token()
    OTHER_TOKENS[kind](token, authorization, now)
    return token
