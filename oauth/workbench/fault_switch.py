"""For which resource servers introspection misbehaves just now, in development only: kept in this process, and each
ends by itself.
"""

from dataclasses import dataclass
from typing import Any

from accounts import clock
from smart.time_units import SECOND, to_datetime

FIVE_MINUTES, LONGEST = 300, 3600


@dataclass(frozen=True, slots=True)
class Switched:
    """A fault that a resource server meets until then."""

    resource_server: str
    fault: str
    ends_at: int

    @property
    def seconds(self) -> int:
        """How long it goes on."""
        return max(0, -(-(self.ends_at - clock.now()) // SECOND))

    @property
    def end(self) -> str:
        """When it ends, in UTC."""
        return to_datetime(self.ends_at).strftime("%Y-%m-%dT%H:%M:%SZ")

    def as_json(self) -> dict[str, Any]:
        """As the API says it."""
        known = {"resource_server": self.resource_server, "fault": self.fault}
        return {**known, "seconds": self.seconds, "ends_at": self.end}


_switched: dict[str, Switched] = {}


def switch_on(resource_server: str, fault: str, seconds: int) -> Switched:
    """From now on introspection answers this caller so; what it met before is over."""
    switched = _switched[resource_server] = Switched(resource_server, fault, clock.now() + seconds * SECOND)
    return switched


def switch_off(resource_server: str) -> bool:
    """Whether there was anything to end."""
    return _switched.pop(resource_server, None) is not None


def current_fault(resource_server: str) -> str:
    """The fault that this caller meets now, "" for none."""
    found = _switched.get(resource_server)
    if found is None or not found.seconds:
        return ""
    return found.fault


def all_switched() -> list[Switched]:
    """Those that go on; what is over is forgotten."""
    for name, each in list(_switched.items()):
        if not each.seconds:
            _switched.pop(name, None)
    return sorted(_switched.values(), key=lambda each: each.resource_server)


def is_any_switched() -> bool:
    """Whether a caller may meet a fault, without a look at the clock."""
    return bool(_switched)
