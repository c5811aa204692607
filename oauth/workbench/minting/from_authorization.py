"""The good token of an authorization, from which others are made, and the rows by which introspection knows them."""

import json

from django.conf import settings
from django.db import IntegrityError, transaction

from oauth.models import AccessToken, Authorization, FhirServer, PatientRecord
from oauth.tokens import access_token
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.claims import build_claims
from oauth.workbench.minting import stand_in_keys
from oauth.workbench.minting.good_token import CannotMint, Claims, GoodToken, sign
from smart.digests import random_token
from smart.time_units import SECOND

LISTENER = "https://listener.invalid/keys"  # an address that leads nowhere (RFC 2606)
LAST_SECOND = 1 << 40  # what comes after that fits into no row
LONGEST_JTI = 500


def good_token(authorization: Authorization, lifetime: int, listener: str, *, now: int) -> GoodToken:
    """The token that a launch would give, or the token endpoint a service, from which another one is made."""
    state, issued = AuthorizationState.of(authorization.pk)._replace(scope=authorization.scope), now // SECOND
    expires = issued + (lifetime or access_token.lifetime_seconds(state))
    standard = access_token.standard_claims(state, state.scope, issued=issued, expires=expires)
    claims = build_claims(state, standard, state.scope)
    in_jwt = {**claims.jwt, "jti": access_token.new_jti(issued)}
    is_opaque = state.token_format == FhirServer.TokenFormat.OPAQUE
    keys = None if is_opaque else stand_in_keys.keys_of(state)
    return GoodToken(
        token=sign(in_jwt, keys.own) if keys else random_token(),
        claims=in_jwt,
        answer=claims.introspection,
        keys=keys,
        other_base=_other_base(authorization.fhir_server),
        other_patient=_other_patient(authorization),
        listener=listener or LISTENER,
    )


def register(authorization: Authorization, token: str, answer: Claims, good: GoodToken, *, now: int) -> AccessToken:
    """The row by which introspection knows the token and answers so; it has no seat. Raises CannotMint."""
    expires, jti = answer.get("exp"), _jti(answer, good) if good.keys else None
    until = expires if isinstance(expires, int) and 0 <= expires < LAST_SECOND else good.answer["exp"]
    made = access_token.AccessToken.of(token, jti)
    row = AccessToken(
        **made.columns,
        authorization=authorization,
        authorization_epoch=authorization.epoch,
        scope=authorization.scope,
        claims=json.dumps(dict(answer)),
        issued_at=now,
        expires_at=until * SECOND,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # the index knows it also when two ask at once
        raise CannotMint("there is a token with this jti already") from None
    return row


def _jti(answer: Claims, good: GoodToken) -> str:
    """The one that the token says, or what it would have said where that is none that a row can hold."""
    said = answer.get("jti")
    if not isinstance(said, str) or not said.isprintable() or not 0 < len(said) <= LONGEST_JTI:
        return str(good.claims["jti"])
    return said


def _other_base(server: FhirServer) -> str:
    """Another FHIR base of this issuer; the second one of a development server where no other is protected."""
    other = FhirServer.objects.exclude(pk=server.pk).order_by("pk").first()
    return other.base if other else f"{settings.SMARTAUTH_ISSUER}/fhir/elsewhere"


def _other_patient(authorization: Authorization) -> str:
    """Somebody else's record at the same FHIR server."""
    known = PatientRecord.objects.filter(fhir_server=authorization.fhir_server)
    other = known.exclude(patient=authorization.patient).order_by("pk").values_list("patient", flat=True).first()
    return str(other or "somebody-else")
