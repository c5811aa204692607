"""How a secret may be sent to the token endpoint (CL-02)."""

from django.conf import settings

from oauth.http.credentials import AuthenticatedClient
from oauth.http.machine_request import MachineRequest
from oauth.models import Client


def is_allowed_method(request: MachineRequest, client: AuthenticatedClient) -> bool:
    """Whether this client may send its secret as it did: in the body only where that is switched on."""
    in_body = settings.SMARTAUTH_TOKEN_SECRET_IN_BODY or client.profile == Client.Profile.OPENID
    return not request.credentials.in_body or in_body
