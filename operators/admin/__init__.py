"""The operators' admin. DOT registers its swapped models with the classes that settings name."""

from operators.admin import authorizations, events, fhir_servers, patient_records, people, signing_keys
from operators.admin.access_tokens import AccessTokenAdmin
from operators.admin.clients import ClientAdmin
from operators.admin.model_admin import Hidden
from operators.admin.refresh_tokens import RefreshTokenAdmin

__all__ = [
    "AccessTokenAdmin",
    "ClientAdmin",
    "Hidden",
    "RefreshTokenAdmin",
    "authorizations",
    "events",
    "fhir_servers",
    "patient_records",
    "people",
    "signing_keys",
]
