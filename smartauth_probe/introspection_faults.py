"""The ways in which an introspection endpoint misbehaves, and what a FHIR server that asks it must answer then.

introspection_faults.json has them; docs/introspection-faults.md has the same as a table, and a test compares.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NONE = "none"


@dataclass(frozen=True, slots=True)
class IntrospectionFault:
    """What is wrong in a sentence, and the statuses that are right for a request with a good token.

    `policy` says why a server may let it in all the same: that is reported, and is no hole.
    """

    name: str
    sentence: str
    statuses: frozenset[int]
    source: str
    policy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The fault as it is told to tools in other languages."""
        return {
            "fault": self.name,
            "sentence": self.sentence,
            "statuses": sorted(self.statuses),
            "source": self.source,
            "policy": self.policy,
        }


@cache
def introspection_faults() -> Mapping[str, IntrospectionFault]:
    """Every fault by its name; `none` is the good twin."""
    rows = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
    return {row["fault"]: _fault(row) for row in rows}


def _fault(row: Mapping[str, Any]) -> IntrospectionFault:
    statuses = frozenset(row["statuses"])
    return IntrospectionFault(row["fault"], row["sentence"], statuses, row["source"], row.get("policy", ""))
