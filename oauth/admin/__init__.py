"""The operators' admin. DOT registers its swapped models with the classes that settings name."""

from oauth.admin import authorizations, events, people, servers, signing_keys
from oauth.admin.clients import ClientAdmin
from oauth.admin.lists import Hidden
from oauth.admin.refresh_tokens import RefreshTokenAdmin
from oauth.admin.tokens import AccessTokenAdmin

__all__ = [
    "AccessTokenAdmin", "ClientAdmin", "Hidden", "RefreshTokenAdmin", "authorizations", "events", "people", "servers",
    "signing_keys",
]  # fmt: skip
