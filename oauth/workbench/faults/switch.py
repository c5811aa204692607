"""For which resource servers introspection misbehaves just now: in memory, and each fault ends by itself."""

from dataclasses import dataclass
from typing import Any

from accounts import clock
from smart.time_units import SECOND, to_datetime

FIVE_MINUTES, LONGEST = 300, 3600
FAULT = "smartauth.fault"  # in the scope: the fault that is sent in the place of this answer


@dataclass(frozen=True, slots=True)
class CurrentFault:
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


_faults: dict[str, CurrentFault] = {}


def turn_on(resource_server: str, fault: str, seconds: int) -> CurrentFault:
    """From now on introspection answers this caller so; what it met before is over."""
    begun = _faults[resource_server] = CurrentFault(resource_server, fault, clock.now() + seconds * SECOND)
    return begun


def turn_off(resource_server: str) -> bool:
    """Whether there was anything to end."""
    return _faults.pop(resource_server, None) is not None


def current_fault(resource_server: str) -> str:
    """The fault that this caller meets now, "" for none."""
    found = _faults.get(resource_server)
    if found is None or not found.seconds:
        return ""
    return found.fault


def current_faults() -> list[CurrentFault]:
    """Those that go on; what is over is forgotten."""
    for name, each in list(_faults.items()):
        if not each.seconds:
            _faults.pop(name, None)
    return sorted(_faults.values(), key=lambda each: each.resource_server)


def is_any_on() -> bool:
    """Whether a caller may meet a fault, without a look at the clock."""
    return bool(_faults)
