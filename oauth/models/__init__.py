"""The domain model: six models swapped in for django-oauth-toolkit's, and ours."""

from oauth.models.addresses import AddressBlock, AddressChange
from oauth.models.authorizations import Authorization
from oauth.models.clients import AssertionId, Client, FetchedKeys, Origin, ResourceServerRole
from oauth.models.keys import SigningKey
from oauth.models.launches import Launch
from oauth.models.pending_requests import PendingRequest
from oauth.models.people import ActsFor, EncounterRecord, FhirIdentity, PatientRecord
from oauth.models.references import parse_reference, public_reference
from oauth.models.refusal_counts import RefusalCount
from oauth.models.seats import Seat
from oauth.models.servers import ClaimProfile, FhirServer
from oauth.models.sweep_progress import SweepProgress
from oauth.models.tokens import AccessToken, Code, DeviceGrant, IDToken, RefreshToken
from oauth.models.unmarked_endings import UnmarkedEnding

__all__ = [
    "AccessToken",
    "ActsFor",
    "AddressBlock",
    "AddressChange",
    "AssertionId",
    "Authorization",
    "ClaimProfile",
    "Client",
    "Code",
    "DeviceGrant",
    "EncounterRecord",
    "FetchedKeys",
    "FhirIdentity",
    "FhirServer",
    "IDToken",
    "Launch",
    "Origin",
    "PatientRecord",
    "PendingRequest",
    "RefreshToken",
    "RefusalCount",
    "ResourceServerRole",
    "Seat",
    "SigningKey",
    "SweepProgress",
    "UnmarkedEnding",
    "parse_reference",
    "public_reference",
]
