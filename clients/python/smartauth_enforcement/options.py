"""Which FHIR base is protected, by which smartauth, and how."""

import os
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlsplit


class Narrow(StrEnum):
    """How a search is narrowed to the records that the token may see, before your server runs it."""

    PATIENT = "patient"
    """A parameter is added: `patient=Patient/amy`, for Patient `_id=amy`."""
    COMPARTMENT = "compartment"
    """The compartment is searched: `Patient/amy/Observation`."""
    APP = "app"
    """Your server does it, by the decision that it finds in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """One FHIR base, and the smartauth that decides about it.

    `base`: the FHIR base as apps know it, the `aud` of their tokens. `smartauth`: the root URL of the server.
    `client_id`, `client_secret`: of the resource server, as `fhir-server add` printed them.
    `seconds`: how long one question may take, with its second try. `max_answer_bytes`: how long its answer may be.
    `narrow`: how a search is narrowed. `public`: paths below the base that everybody may read, beside `metadata` and
    `.well-known/smart-configuration`. `tells_addresses`: smartauth is told where the app's connection comes from;
    only for a resource server that is registered so, and that apps reach directly. `trusts_counts`: your server is
    known to count what a narrowed search finds and nothing else, so that totals are told that no page shows.
    """

    base: str
    smartauth: str
    client_id: str
    client_secret: str = field(repr=False)
    seconds: float = 3.0
    max_answer_bytes: int = 1_000_000
    narrow: Narrow | str = Narrow.PATIENT
    public: tuple[str, ...] = ()
    tells_addresses: bool = False
    trusts_counts: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for a way to narrow that does not exist."""
        Narrow(self.narrow)

    @classmethod
    def from_environment(cls, **more: Any) -> Self:
        """With what `fhir-server add --env` prints: FHIR_BASE, INTROSPECT, CLIENT_ID, CLIENT_SECRET."""
        smartauth = os.environ["INTROSPECT"].removesuffix("/o/introspect")
        names = {"base": "FHIR_BASE", "client_id": "CLIENT_ID", "client_secret": "CLIENT_SECRET"}
        return cls(**{"smartauth": smartauth, **{name: os.environ[of] for name, of in names.items()}, **more})

    @property
    def root(self) -> str:
        """The path of the base."""
        return urlsplit(self.base).path.rstrip("/")
