"""A token as it was ordered, good or bad, with what it takes to send it. Every minting is an event."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.db import transaction

from accounts import clock
from audit.event_kinds import EventKind
from audit.trail import record_events
from oauth.ending.selection import Actor
from oauth.models import AccessToken, Authorization, FhirServer, public_reference
from oauth.tokens.authorization_state import AuthorizationState
from oauth.tokens.issue import issue
from oauth.workbench.memory.minted_kinds import remember_kind
from oauth.workbench.minting import stand_in_keys
from oauth.workbench.minting.backend_kinds import require_service_kind
from oauth.workbench.minting.compact import compact
from oauth.workbench.minting.endings import ENDINGS
from oauth.workbench.minting.from_authorization import good_token, register
from oauth.workbench.minting.good_token import CannotMint, Claims, GoodToken, header
from oauth.workbench.minting.mint import Minted, mint
from oauth.workbench.minting.other_tokens import OTHER_TOKENS, create
from oauth.workbench.orders.changes import Changes
from oauth.workbench.orders.order import InvalidOrder, Order
from smart.text import ascii_excerpt
from smartauth_probe.catalogue import kinds
from smartauth_probe.kinds import Kind
from smartauth_probe.requests import Presentation, presentation

OWN_CLAIMS = "own claims"
LONGEST_TYPED = 100  # beyond it no name is near


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedToken:
    """A token for somebody's FHIR server, and what the answer of the token endpoint would say beside it.

    `good` is the token that it was made from, if any was.
    """

    token: str
    answer: dict[str, Any]
    server: FhirServer
    patient: str
    kind: Kind | None = None
    good: GoodToken | None = None

    def as_json(self) -> dict[str, Any]:
        """The answer, and the request that presents the token; of a bad one what the catalogue says of it."""
        about = {"bad": self.kind.as_json()} if self.kind else {}
        request = {"base": self.server.base, **self.presentation.as_json()}
        return {**self.answer, "access_token": self.token, **about, "request": request}

    @property
    def presentation(self) -> Presentation:
        """The request that sends it."""
        return presentation(self.kind.name if self.kind else "", self.token, self.patient)


def create_token(order: Order, changes: Changes, *, bad: str = "", listener: str = "") -> OrderedToken:
    """A good token, one with changes, or one of a kind of the catalogue. Raises InvalidOrder or CannotMint."""
    if not bad:
        return _mint_changed(order, changes) if changes else _issue_good(order)
    if bad not in kinds():
        raise InvalidOrder(_unknown_kind(bad), "bad")
    if changes.are_of_content:
        raise InvalidOrder("A bad token is wrong in one way: only claims and header of a good one are changed.", "bad")
    if not order.patient:
        raise InvalidOrder("A bad token is made for a patient: its answer is known for a record.", "patient")
    return _mint_bad(order, kinds()[bad], lifetime=changes.lifetime, listener=listener)


def _unknown_kind(bad: str) -> str:
    """That there is none, which names are near, and where all of them stand."""
    near = ", ".join(get_close_matches(bad[:LONGEST_TYPED], kinds()))
    return (
        f"There is no kind {ascii_excerpt(bad)}{f'; near it are {near}' if near else ''}. "
        "All are listed by /dev/tokens/kinds and token --list."
    )


@transaction.atomic
def _issue_good(order: Order) -> OrderedToken:
    """What a launch would give: it supersedes older tokens of its seat, and is refreshed like any."""
    now = clock.now()
    authorization = order.create_authorization(now=now)
    state = AuthorizationState.of(authorization.pk)
    record_events(state.event(EventKind.GRANTED_BY_COMMAND, at=now))
    answer = issue(state, now=now, address="")
    return OrderedToken(token=answer["access_token"], answer=answer, server=order.server, patient=order.patient)


@transaction.atomic
def _mint_changed(order: Order, changes: Changes) -> OrderedToken:
    """A good token with other claims or another header, which introspection knows as it is; it supersedes nothing."""
    now = clock.now()
    authorization = order.create_authorization(now=now)
    good = good_token(authorization, changes.lifetime, "", now=now)
    minted = _with_changes(good, changes)
    row = register(authorization, minted.token, minted.answer or {}, good, now=now)
    return _ordered_token(order, authorization, good, minted.token, row, OWN_CLAIMS, now=now)


@transaction.atomic
def _mint_bad(order: Order, kind: Kind, *, lifetime: int, listener: str) -> OrderedToken:
    """A token of that kind, which supersedes nothing. Raises CannotMint, and then nothing is written."""
    if order.person is None:
        require_service_kind(kind.name, has_patient=any(each.startswith("patient/") for each in order.scope.split()))
    now = clock.now()
    authorization = order.create_authorization(now=now)
    good = good_token(authorization, lifetime, listener, now=now)
    row = None
    if kind.name in OTHER_TOKENS:
        token = create(kind.name, authorization, now=now)
    else:
        token, answer, original = mint(kind, good)
        if original:
            register(authorization, original, good.answer, good, now=now)
        if answer is not None:
            row = register(authorization, token, answer, good, now=now)
        _remember_keys(kind, good, now=now)
    if row is not None and kind.name in ENDINGS:
        ENDINGS[kind.name](row, Actor(now=now, client_id=order.client.client_id))
    return _ordered_token(order, authorization, good, token, row, kind.name, now=now, kind=kind)


def _ordered_token(
    order: Order,
    authorization: Authorization,
    good: GoodToken,
    token: str,
    row: AccessToken | None,
    reason: str,
    *,
    now: int,
    kind: Kind | None = None,
) -> OrderedToken:
    """With its event: of which kind it is, and never the token itself."""
    state = AuthorizationState.of(authorization.pk)
    reference = public_reference(row.pk) if row else ""
    record_events(state.event(EventKind.TOKEN_MINTED, at=now, token=reference, reason=reason))
    if kind:
        remember_kind(token, kind.name)
    seconds = int(good.answer["exp"]) - good.now
    answer = {"token_type": "Bearer", "expires_in": seconds, "scope": order.scope}
    answer |= {"patient": order.patient} if order.patient and order.person else {}
    return OrderedToken(token=token, answer=answer, server=order.server, patient=order.patient, kind=kind, good=good)


def _with_changes(good: GoodToken, changes: Changes) -> Minted:
    if good.keys is None:
        if changes.header:
            raise CannotMint("an opaque token has no header")
        return Minted(good.token, _apply_changes(good.answer, changes))
    members = {**header(good.keys.own), **changes.header}
    return Minted(
        compact(members, _apply_changes(good.claims, changes), good.keys.own), _apply_changes(good.answer, changes)
    )


def _apply_changes(claims: Claims, changes: Changes) -> Claims:
    kept = {name: value for name, value in claims.items() if name not in changes.without}
    return {**kept, **changes.claims}


def _remember_keys(kind: Kind, good: GoodToken, *, now: int) -> None:
    """What the JWKS must say for this kind to be what it is."""
    if good.keys and kind.name == "good-previous-key":
        stand_in_keys.publish_previous(good.keys.previous, now=now)
    if good.keys and kind.name == "withdrawn-key":
        stand_in_keys.withdraw(good.keys.withdrawn, now=now)
