"""The kinds of clients that an operator registers, and what each kind is asked (RG-09)."""

from dataclasses import dataclass
from functools import reduce
from itertools import product
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet

from oauth.models import Client
from smart.authorize.unvalidated_request import AUTHORIZATION_CODE, CLIENT_CREDENTIALS

Fieldsets = list[tuple[str | None, dict[str, Any]]]

_TOKENS = ("Tokens", {"fields": ["access_token_seconds", "supersede", "tokens_to_keep", "address_policy"]})
_STRICT = (
    "Strict or loose",
    {
        "fields": [
            "profile",
            "refuses_unknown_scopes",
            "always_asks_consent",
            "fhir_context_as_text",
            "allows_missing_state",
        ],
        "description": "An app that knows nothing of FHIR and only wants to know who signs in is plain OpenID Connect. "
        "It may leave out aud and state, and PKCE if it has a secret or keys; it never gets a scope of a FHIR server.",
    },
)
_PAGES = ["redirect_uris", "application_type", "launch_urls", "post_logout_redirect_uris", "allowed_origins"]
_MAY = ("May do", {"fields": ["fhir_servers", "scope", "may_stay", "refresh_token_seconds"]})
_KEYS = (
    "Keys",
    {
        "fields": ["jwks", "jwks_uri"],
        "description": "Public keys only, pasted or by URL. Pasted keys stay as they are: "
        "when the client changes its keys, paste the new ones here.",
    },
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of client: how it proves itself, what it holds, what the form asks."""

    name: str
    title: str
    about: str
    authentication: str
    grants: str
    sections: tuple[Any, ...]

    @property
    def has_secret(self) -> bool:
        return self.authentication == Client.Authentication.SECRET

    @property
    def is_app(self) -> bool:
        """Whether people use it."""
        return AUTHORIZATION_CODE in self.grants

    @property
    def is_service(self) -> bool:
        """Whether it asks for itself, without a person."""
        return self.grants == CLIENT_CREDENTIALS

    def clients(self, found: QuerySet[Client]) -> QuerySet[Client]:
        """Those of them that are of this kind, for each way to prove itself and whatever it may ask for."""
        ways = product(Client.Authentication, (True, False), (True, False))
        fitting = [_condition(*way) for way in ways if _kind_name(*way) == self.name]
        return found.filter(reduce(or_, fitting))

    def fieldsets(self) -> Fieldsets:
        return [(None, {"fields": ["name", "maker"]}), *self.sections]

    def fields(self) -> set[str]:
        return {name for _, section in self.fieldsets() for name in section["fields"]}


_SERVICE = ("May do", {"fields": ["fhir_servers", "scope", "backend_patient"]})
_APP = (("Where it lives", {"fields": _PAGES}), _MAY)
KINDS = (
    Kind(
        "public",
        "Public app",
        "Runs in a browser or on a phone and cannot keep a secret. Proves itself by PKCE alone.",
        Client.Authentication.NONE,
        "authorization_code",
        (*_APP, _TOKENS, _STRICT),
    ),
    Kind(
        "secret",
        "App with a secret",
        "Has a server of its own that keeps a secret. We draw it and show it once.",
        Client.Authentication.SECRET,
        "authorization_code",
        (*_APP, _TOKENS, _STRICT),
    ),
    Kind(
        "keys",
        "App with keys",
        "Has a server of its own and signs with its private key. We keep only public keys.",
        Client.Authentication.KEYS,
        "authorization_code",
        (*_APP, _KEYS, _TOKENS, _STRICT),
    ),
    Kind(
        "backend",
        "Backend service",
        "Works without a person, for many patients. Signs with its private key.",
        Client.Authentication.KEYS,
        "client_credentials",
        (_SERVICE, _KEYS, _TOKENS, ("Strict", {"fields": ["refuses_unknown_scopes"]})),
    ),
    Kind(
        "backend-secret",
        "Backend service with a secret",
        "Loose: the same for a service that cannot sign. SMART wants keys, since a secret travels with every request.",
        Client.Authentication.SECRET,
        "client_credentials",
        (_SERVICE, _TOKENS, ("Strict or loose", {"fields": ["refuses_unknown_scopes", "backend_by_secret"]})),
    ),
    Kind(
        "resource-server",
        "Resource server",
        "A FHIR server that asks us whether a token is good. Has a secret.",
        Client.Authentication.SECRET,
        "",
        (),
    ),
)
KINDS_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(client: Client) -> Kind:
    """Which kind a registered client is."""
    grants = client.grants.split()
    return KINDS_BY_NAME[_kind_name(client.authentication, AUTHORIZATION_CODE in grants, CLIENT_CREDENTIALS in grants)]


def _kind_name(authentication: str, is_app: bool, is_service: bool) -> str:
    """Every client is of one kind: what none was made for counts as an app that proves itself in the same way."""
    has_secret = authentication == Client.Authentication.SECRET
    if is_service and not is_app:
        return "backend-secret" if has_secret else "backend"
    if has_secret and not is_app:
        return "resource-server"
    return "public" if authentication == Client.Authentication.NONE else authentication


def _condition(authentication: str, is_app: bool, is_service: bool) -> Q:
    app, service = Q(grants__contains=AUTHORIZATION_CODE), Q(grants__contains=CLIENT_CREDENTIALS)
    return Q(authentication=authentication) & (app if is_app else ~app) & (service if is_service else ~service)
