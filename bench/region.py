"""What a large region would ask of this server, computed from what is assumed of its people and what was measured here.

`python -m bench.region` prints the tables of docs/scale.md: requests a second at the peak, cores, rows, gigabytes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

DAY_SECONDS = 86_400
PARTITION_DAYS = 30
KEPT_DAYS = 90  # a token after its end, so that its refusal can be explained
LOOKED_AT_DAYS = 30  # how often an authorization is, that may be over
IDLE_DAYS = 92  # before the end of a refresh token
YEAR_DAYS = 365


@dataclass(frozen=True)
class Region:
    """What is assumed. Nobody has measured a region: put in your own numbers."""

    fhir_servers: int = 10_000
    people: int = 10_000_000
    launches: float = 0.5  # a day and person: every second day an app is opened about each of them
    signed_in: float = 0.2  # share of launches that begin with a password; the others find a session
    fhir_requests: int = 40  # of a launch, each introspected
    refreshes: int = 3  # of a launch
    sign_outs: float = 0.3  # share of launches that end by a revocation
    services: int = 5  # backend services of a FHIR server
    service_tokens: int = 288  # a day and service: one that never sleeps, with tokens of five minutes
    service_requests: int = 2_000  # a day and service, each introspected
    refresh_tokens: int = 2  # live ones a person: the apps that stay connected
    peak: float = 4.0  # the busiest seconds to the average of the day


class Cost(NamedTuple):
    """Microseconds of CPU a request: of the server's process and of PostgreSQL."""

    server: int
    database: int


# Measured by bench/run with everything on one core, as docs/benchmarks.md says.
COSTS = {
    "introspection": Cost(37, 12),
    "client_credentials with a secret": Cost(148, 71),
    "refresh": Cost(153, 87),
    "revocation": Cost(57, 34),
    "launch in a session": Cost(33_000, 6_000),
    "launch with a sign-in": Cost(228_000, 9_000),
}
# Measured by bench/run --statements: bytes a row with its indexes.
BYTES = {
    "access token": 950,
    "refresh token": 712,
    "authorization": 449,
    "code": 469,
    "security event": 619,
    "person": 397,
}
# Counted by bench/run --launches; a refresh and a service's token each end the token before.
EVENTS = {
    "client_credentials with a secret": 2,
    "refresh": 2,
    "revocation": 1,
    "launch in a session": 3,
    "launch with a sign-in": 4,
}


def a_day(region: Region) -> dict[str, float]:
    """How often each happens on an average day."""
    launches = region.people * region.launches
    services = region.fhir_servers * region.services
    return {
        "introspection": launches * region.fhir_requests + services * region.service_requests,
        "client_credentials with a secret": services * region.service_tokens,
        "refresh": launches * region.refreshes,
        "revocation": launches * region.sign_outs,
        "launch in a session": launches * (1 - region.signed_in),
        "launch with a sign-in": launches * region.signed_in,
    }


def rows(region: Region) -> dict[str, float]:
    """Rows after a year: what is kept of tokens and of what they belong to, all of what is never deleted."""
    daily = a_day(region)
    launches = region.people * region.launches
    refreshable = launches + daily["refresh"]
    tokens = refreshable + daily["client_credentials with a secret"]
    # with its code, until somebody looks after the last row of its tokens has gone
    launch_days = IDLE_DAYS + KEPT_DAYS + PARTITION_DAYS + LOOKED_AT_DAYS
    launched = region.people * region.refresh_tokens + launches * launch_days
    events = sum(daily[what] * count for what, count in EVENTS.items())
    return {
        "access token": tokens * (KEPT_DAYS + PARTITION_DAYS),
        "refresh token": region.people * region.refresh_tokens + refreshable * (IDLE_DAYS + KEPT_DAYS + PARTITION_DAYS),
        "authorization": launched,
        "code": launched,
        "security event": events * YEAR_DAYS,
        "person": region.people,
    }


def lines(region: Region) -> Iterator[str]:
    """The tables of docs/scale.md."""
    yield "| | a day | a second at the peak | CPU µs each: server + database | cores at the peak: server + database |"
    yield "|---|---|---|---|---|"
    servers = databases = 0.0
    for what, count in a_day(region).items():
        rate, cost = count / DAY_SECONDS * region.peak, COSTS[what]
        server, database = (rate * each / 1e6 for each in cost)
        servers, databases = servers + server, databases + database
        spent = f"{cost.server:,} + {cost.database:,}"
        yield f"| {what} | {_short(count)} | {rate:,.0f} | {spent} | {server:.1f} + {database:.1f} |"
    yield f"| together | | | | **{servers:.0f} + {databases:.0f}** |"
    yield ""
    yield "| | rows after a year | bytes a row, with indexes | gigabytes |"
    yield "|---|---|---|---|"
    for what, count in rows(region).items():
        yield f"| {what} | {_short(count)} | {BYTES[what]} | {count * BYTES[what] / 1e9:,.0f} |"
    access, refresh = (math.ceil((lives + KEPT_DAYS + PARTITION_DAYS) / PARTITION_DAYS) + 1 for lives in (0, IDLE_DAYS))
    yield ""
    counts = f"{access} of access tokens, {refresh} of refresh tokens"
    yield f"Partitions of {PARTITION_DAYS} days, the next one included: {counts}."


def _short(count: float) -> str:
    """Millions where there are some."""
    return f"{count / 1e6:,.1f} million" if count >= 1e6 else f"{count:,.0f}"


if __name__ == "__main__":
    print("\n".join(lines(Region())))
