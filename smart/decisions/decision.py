"""What is decided about a request: no and why, or yes and which records may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Unpack

from smart.decisions.refusals import Refusal
from smart.decisions.view import View
from smart.explanation import Why


class DenialReason(StrEnum):
    """Why a request is refused, as the stage that refused it."""

    INVALID_TOKEN = "invalid_token"  # noqa: S105  # an error code
    UNKNOWN_INTERACTION = "unknown_interaction"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    PARAMETER_REFUSED = "parameter_refused"
    NOT_IN_VIEW = "not_in_view"
    NEEDS_VIEW = "needs_view"


@dataclass(frozen=True, slots=True)
class Denial:
    """Why not, and how the FHIR server shall refuse. `parameters` are those that must not be evaluated.

    `why` says more to developers, and is told to nobody else.
    """

    reason: DenialReason
    refusal: Refusal
    parameters: tuple[str, ...] = ()
    why: Why = field(default_factory=Why)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: refuse, where there is a denial. `views`: for each type of the answer, the records that may be shown.

    `matched`: for each type, among which records alone a condition is looked for. With `is_final` nothing is left to
    apply.
    """

    denial: Denial | None = None
    views: Mapping[str, View] = field(default_factory=dict)
    matched: Mapping[str, View] = field(default_factory=dict)
    is_final: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the request may be answered, if the views are applied."""
        return self.denial is None


def deny(reason: DenialReason, refusal: Refusal, **why: Unpack[Why]) -> Decision:
    """The decision that refuses for that reason."""
    return Decision(Denial(reason, refusal, why=why))
