"""The domain model: six models swapped in for django-oauth-toolkit's, and ours."""

from oauth.models.authorizations import Authorization, Launch, PendingRequest, Seat, numbered, row_of
from oauth.models.clients import Client, Origin, ResourceServer
from oauth.models.keys import SigningKey
from oauth.models.people import ActsFor, EncounterRecord, FhirIdentity, PatientRecord
from oauth.models.servers import FhirServer
from oauth.models.tokens import AccessToken, Code, DeviceGrant, IDToken, RefreshToken

__all__ = [
    "AccessToken",
    "ActsFor",
    "Authorization",
    "Client",
    "Code",
    "DeviceGrant",
    "EncounterRecord",
    "FhirIdentity",
    "FhirServer",
    "IDToken",
    "Launch",
    "Origin",
    "PatientRecord",
    "PendingRequest",
    "RefreshToken",
    "ResourceServer",
    "Seat",
    "SigningKey",
    "numbered",
    "row_of",
]
