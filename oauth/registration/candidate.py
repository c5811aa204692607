"""A client before it is registered."""

from collections.abc import Collection
from dataclasses import dataclass

from oauth.models import Client, FhirServer
from smart.authorize.unvalidated_request import AUTHORIZATION_CODE
from smart.tokens.client_credentials import GRANT as CLIENT_CREDENTIALS


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client that is to be registered, saved or not, with the FHIR servers that it shall reach."""

    row: Client
    fhir_servers: Collection[FhirServer]

    @property
    def grants(self) -> frozenset[str]:
        return frozenset(self.row.grants.split())

    @property
    def is_app(self) -> bool:
        return AUTHORIZATION_CODE in self.grants

    @property
    def is_service(self) -> bool:
        return CLIENT_CREDENTIALS in self.grants

    @property
    def is_native(self) -> bool:
        return self.row.application_type == Client.ApplicationType.NATIVE
