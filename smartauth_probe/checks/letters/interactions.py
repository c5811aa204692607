"""The interactions of FHIR, each with its letter and a request for it."""

import json
from collections.abc import Callable
from typing import NamedTuple

from smartauth_probe.checks.letters.section import KIND
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.fixture import Record
from smartauth_probe.target.probe import Probe
from smartauth_probe.target.sending import Pairs
from smartauth_probe.tokens.source import GivenToken

WORDS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}

PATCH = (("Content-Type", "application/json-patch+json"),)

FIX = (
    "Ask for the letter of the interaction before anything is looked up: c create; r read, vread and history of a "
    "record; u update and patch; d delete; s search and history of a type."
)


class Interaction(NamedTuple):
    """A request that takes this letter; `code` as a CapabilityStatement has it."""

    id: str
    name: str
    letter: str
    code: str
    send: Callable[[Probe, Record, GivenToken], Answer]
    writes: bool = False


def _post(probe: Probe, record: Record, token: GivenToken) -> Answer:
    content = {name: value for name, value in record.content.items() if name not in ("id", "meta")}
    return probe.send("POST", KIND, token, headers=_typed(probe), body=json.dumps(content))


def _typed(probe: Probe) -> Pairs:
    return (("Content-Type", probe.facts.accept),)


INTERACTIONS = (
    Interaction("IX-02", "read", "r", "read", lambda probe, record, token: probe.read(KIND, record.id, token)),
    Interaction(
        "IX-03",
        "vread",
        "r",
        "vread",
        lambda probe, record, token: probe.send("GET", f"{record.path}/_history/{record.version or '1'}", token),
    ),
    Interaction(
        "IX-04",
        "history",
        "r",
        "history-instance",
        lambda probe, record, token: probe.send("GET", f"{record.path}/_history", token),
    ),
    Interaction("IX-09", "search", "s", "search-type", lambda probe, record, token: probe.search(KIND, token)),
    Interaction(
        "IX-09", "post-search", "s", "search-type", lambda probe, record, token: probe.post_search(KIND, token)
    ),
    Interaction(
        "IX-09",
        "count",
        "s",
        "search-type",
        lambda probe, record, token: probe.search(KIND, token, ("_summary", "count")),
    ),
    Interaction(
        "IX-10",
        "type-history",
        "s",
        "history-type",
        lambda probe, record, token: probe.send("GET", f"{KIND}/_history", token),
    ),
    Interaction(
        "IX-11", "whole-search", "s", "", lambda probe, record, token: probe.send("GET", "", token, (("_type", KIND),))
    ),
    Interaction(
        "IX-11",
        "whole-history",
        "s",
        "",
        lambda probe, record, token: probe.send("GET", "_history", token, (("_type", KIND),)),
    ),
    Interaction("IX-01", "create", "c", "create", _post, writes=True),
    Interaction(
        "IX-05",
        "update",
        "u",
        "update",
        lambda probe, record, token: probe.send(
            "PUT", record.path, token, headers=_typed(probe), body=json.dumps({**record.content, "status": "amended"})
        ),
        writes=True,
    ),
    Interaction(
        "IX-07",
        "patch",
        "u",
        "patch",
        lambda probe, record, token: probe.send(
            "PATCH",
            record.path,
            token,
            headers=PATCH,
            body=json.dumps([{"op": "replace", "path": "/status", "value": "amended"}]),
        ),
        writes=True,
    ),
    Interaction(
        "IX-08",
        "delete",
        "d",
        "delete",
        lambda probe, record, token: probe.send("DELETE", record.path, token),
        writes=True,
    ),
)
