"""The page of all kinds: the form, filters, and what the FHIR server of the form answered to each the last time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict

from oauth.http.private_page import private_page
from oauth.models import FhirServer
from oauth.workbench.faults import switch
from oauth.workbench.memory.results import GOOD, Result, results_of
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.sending.trial import is_sendable
from smartauth_probe.catalogue import groups, kinds
from smartauth_probe.introspection_faults import NONE, introspection_faults
from smartauth_probe.kinds import Fools, Group, Kind

FOOLS = {
    Fools.JWT: "JWT verifiers",
    Fools.INTROSPECTION: "Introspection",
    Fools.BOTH: "Both",
    Fools.ANY: "Any server",
    Fools.NONE: "Nobody",
}
ON_THE_WAY = "On the way"
LONGEST_SEARCH = 100
CHIPS = (
    ("", "", "All"),
    ("fools", "jwt", "Fool JWT verifiers"),
    ("fools", "introspection", "Fool introspection"),
    ("result", "not-sent", "Not sent"),
    ("result", "right", "Right answer"),
    ("result", "wrong", "Wrong answer"),
)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which kinds are shown: those that fool a kind of server, by the last answer, by words."""

    fools: str = ""
    result: str = ""
    q: str = ""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        said = {name: query.get(name, "") for name in ("fools", "result")}
        known = {name: value for name, value in said.items() if (name, value) in {chip[:2] for chip in CHIPS}}
        return cls(**known, q=query.get("q", "").strip()[:LONGEST_SEARCH])

    @property
    def are_set(self) -> bool:
        return bool(self.fools or self.result or self.q)

    def show(self, kind: Kind, result: Result | None) -> bool:
        text = " ".join((kind.name, kind.id, kind.group, kind.wrong, kind.source))
        return _is_of(kind, result, self.fools, self.result) and self.have_words_in(text)

    def have_words_in(self, text: str) -> bool:
        """Whether every word that is searched stands in the text."""
        return all(word in text.lower().replace("`", "") for word in self.q.lower().split())


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group with the rows that are shown, how many of these can be sent, and how many of its kinds were right."""

    group: Group
    rows: list[dict[str, object]]
    sendable: int
    right: int
    wrong: int

    @property
    def is_open(self) -> bool:
        return self.wrong > 0

    @property
    def is_whole(self) -> bool:
        """Whether every kind of it is shown: only a whole group is sent without script."""
        return len(self.rows) == len(self.group.kinds)


def catalogue_page(request: HttpRequest, form: TokenForm, *, problem: str = "", field: str = "") -> HttpResponse:
    """The page with the form as it was sent."""
    filters, results, base = Filters.of(request.GET), results_of(form.base), form.base
    shown = [_shown_group(group, filters, results) for group in groups()]
    context: dict[str, object] = {
        "form": form,
        "groups": [each for each in shown if each.rows],
        "faults": _fault_rows(filters),
        "switched": switch.current_faults(),
        "opens_all": filters.are_set or "open" in request.GET,
        "chips": _chips(filters, results, request.GET.get("aud", "")),
        "filters": filters,
        "aud": request.GET.get("aud", ""),
        **_totals(),
        "sendable": sum(each.sendable for each in shown),
        "server": FhirServer.of(base) if base else None,
        "count": _counts(results),
        "command": settings.SMARTAUTH_COMMAND,
        "problem": problem,
        "field": field,
    }
    return private_page(request, "dev_tokens.html", context, status=422 if problem else 200)


def _totals() -> dict[str, int]:
    """How many kinds are bad, and how many are good twins of them."""
    twins = sum(1 for kind in kinds().values() if kind.is_good)
    return {"total": len(kinds()) - twins, "twins": twins}


def kind_row(kind: Kind, result: Result | None = None) -> dict[str, object]:
    """What a page says of a kind; code in its sentences alternates with words."""
    statuses = [str(status) for status in sorted(kind.answer.statuses)]
    return {
        "kind": kind,
        "wrong": kind.wrong.removesuffix(".").split("`"),
        "policy": kind.policy.split("`") if kind.policy else [],
        "fools": FOOLS[kind.fools],
        "answer": " or ".join(statuses),
        "is_request": kind.group == ON_THE_WAY,
        "is_sendable": is_sendable(kind),
        "why": kind.remedy.why.split("`"),
        "fix": kind.remedy.fix.split("`"),
        "result": result,
    }


def _fault_rows(filters: Filters) -> list[dict[str, object]]:
    """What the page says of each way in which introspection can misbehave; nothing is known of their results."""
    if filters.fools == "jwt" or filters.result:
        return []
    return [
        {
            "name": fault.name,
            "wrong": fault.sentence.removesuffix(".").split("`"),
            "policy": fault.policy.removesuffix("."),
            "answer": " or ".join(map(str, sorted(fault.statuses))),
        }
        for fault in introspection_faults().values()
        if fault.name != NONE and filters.have_words_in(f"{fault.name} introspection {fault.sentence}")
    ]


def _shown_group(group: Group, filters: Filters, results: Mapping[str, Result]) -> ShownGroup:
    rows = [
        kind_row(kind, results.get(kind.name)) for kind in group.kinds if filters.show(kind, results.get(kind.name))
    ]
    own = [results[kind.name] for kind in group.kinds if kind.name in results]
    return ShownGroup(
        group=group,
        rows=rows,
        sendable=sum(1 for row in rows if row["is_sendable"]),
        right=sum(1 for result in own if result.is_right),
        wrong=sum(1 for result in own if result.is_wrong),
    )


def _is_of(kind: Kind, result: Result | None, fools: str, state: str) -> bool:
    by_fools = {"jwt": kind.fools.jwt_verifiers, "introspection": kind.fools.introspection}
    by_state = {
        "not-sent": result is None,
        "right": result is not None and result.is_right,
        "wrong": result is not None and result.is_wrong,
    }
    return by_fools.get(fools, True) and by_state.get(state, True)


def _chips(filters: Filters, results: Mapping[str, Result], aud: str) -> list[dict[str, object]]:
    """The link of each filter, how many bad kinds fit it, and whether it is set; the FHIR server stays chosen."""
    made = []
    for name, value, text in CHIPS:
        chosen = {"fools": "", "result": "", name: value}
        fitting = [
            kind
            for kind in kinds().values()
            if not kind.is_good and _is_of(kind, results.get(kind.name), chosen["fools"], chosen["result"])
        ]
        query = urlencode({key: text for key, text in ((name, value), ("aud", aud), ("q", filters.q)) if text})
        is_set = (filters.fools, filters.result) == (chosen["fools"], chosen["result"])
        made.append({"text": text, "count": len(fitting), "query": query, "is_set": is_set})
    return made


def _counts(results: Mapping[str, Result]) -> dict[str, int]:
    own = [result for name, result in results.items() if name != GOOD]
    right, wrong = sum(1 for each in own if each.is_right), sum(1 for each in own if each.is_wrong)
    return {"sent": len(own), "right": right, "wrong": wrong}
