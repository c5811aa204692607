"""`/dev/tokens` in the browser, in development only: choose, get a token, see what is wrong with it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from oauth.http.private_page import private_page
from oauth.workbench import fault_switch, token_details
from oauth.workbench.good_token import CannotMint
from oauth.workbench.hand_out import HandedOut
from oauth.workbench.order import InvalidOrder
from oauth.workbench.sending import can_be_sent
from oauth.workbench.tokens_api import TokensView, about_order, ordered_token
from oauth.workbench.tokens_form import GOOD, TokenForm
from smart.http.about_token import ABOUT_TOKEN
from smart.http.errors import InvalidRequest
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
FILTERS = {"jwt": "Fool JWT verifiers", "introspection": "Fool introspection"}
ON_THE_WAY = "On the way"


@csrf_exempt  # no form can send JSON; the one of the page has an address of its own, where its token is asked for
def tokens(request: HttpRequest) -> HttpResponseBase:
    """The page for people; a POST of JSON is for tools."""
    if request.method in ("GET", "HEAD"):
        return catalogue_page(request, TokenForm.of(None))
    return TokensView.as_view()(request)


class NoToken(Exception):
    """Why there is none, in a sentence; `field` is what to choose otherwise, "" where nothing helps."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """The form, sent: a page with the token, which a reload makes anew; or the form again with what is wrong."""
    form = TokenForm.of(request.POST)
    try:
        made, members = order_token(form, request.POST.get("kind") or GOOD)
        request.META[ABOUT_TOKEN] = about_order(members, made)
    except NoToken as problem:
        return catalogue_page(request, form, problem=str(problem), field=problem.field)
    return private_page(request, "dev_token.html", _details(made, members, form))


def order_token(form: TokenForm, kind: str) -> tuple[HandedOut, dict[str, Any]]:
    """The token that the form asks for, and the same as JSON. Raises NoToken."""
    try:
        members = form.members(kind)
        return ordered_token(members), members
    except InvalidOrder as problem:
        raise NoToken(str(problem), problem.option) from None
    except CannotMint as problem:
        raise NoToken(f"Such a token cannot be made here: {problem}.") from None
    except InvalidRequest as problem:
        raise NoToken(f"{problem.description}.") from None


def catalogue_page(request: HttpRequest, form: TokenForm, *, problem: str = "", field: str = "") -> HttpResponse:
    fools = request.GET.get("fools", "")
    shown = [(group, _rows(group, fools)) for group in groups()]
    context: dict[str, object] = {
        "form": form,
        "groups": [(group, rows) for group, rows in shown if rows],
        "faults": [] if fools == "jwt" else _fault_rows(),
        "switched": fault_switch.all_switched(),
        "is_open": fools in FILTERS or "open" in request.GET,
        "filters": [(name, text, _count(name), name == fools) for name, text in FILTERS.items()],
        "total": _count(""),
        "is_filtered": fools in FILTERS,
        "problem": problem,
        "field": field,
    }
    return private_page(request, "dev_tokens.html", context, status=422 if problem else 200)


def _count(fools: str) -> int:
    """How many kinds are bad, of those that fool such a server."""
    return sum(1 for kind in kinds().values() if not kind.is_good and _is_shown(kind, fools))


def _is_shown(kind: Kind, fools: str) -> bool:
    chosen = {"jwt": kind.fools.jwt_verifiers, "introspection": kind.fools.introspection}
    return chosen.get(fools, True)


def _rows(group: Group, fools: str) -> list[dict[str, object]]:
    return [kind_row(kind) for kind in group.kinds if _is_shown(kind, fools)]


def _fault_rows() -> list[dict[str, object]]:
    """What the page says of each way in which introspection can misbehave."""
    return [
        {
            "name": fault.name,
            "wrong": fault.sentence.removesuffix(".").split("`"),
            "policy": fault.policy.removesuffix("."),
            "answer": " or ".join(map(str, sorted(fault.statuses))),
        }
        for fault in introspection_faults().values()
        if fault.name != NONE
    ]


def kind_row(kind: Kind) -> dict[str, object]:
    """What a page says of a kind; code in its sentences alternates with words."""
    statuses = [str(status) for status in sorted(kind.answer.statuses)]
    return {
        "kind": kind,
        "wrong": kind.wrong.removesuffix(".").split("`"),
        "policy": kind.policy.split("`") if kind.policy else [],
        "fools": FOOLS[kind.fools],
        "answer": " or ".join(statuses),
        "is_request": kind.group == ON_THE_WAY,
        "why": kind.remedy.why.split("`"),
        "fix": kind.remedy.fix.split("`"),
    }


def _details(made: HandedOut, members: dict[str, Any], form: TokenForm) -> dict[str, object]:
    """Everything that the page of one token shows."""
    parts = token_details.read_parts(made)
    return {
        "made": made,
        "can_be_sent": made.kind is not None and can_be_sent(made.presentation),
        "row": kind_row(made.kind) if made.kind else None,
        "is_changed": made.kind is None and made.good is not None,
        "token_parts": token_details.token_parts(made.token),
        "parts": parts,
        "expected": token_details.expected_responses(made.kind.answer) if made.kind else [],
        "curl": token_details.curl_line(made.server.base, made.presentation),
        "order": token_details.order_line(settings.SMARTAUTH_ISSUER, members),
        "sent": form.sent.items(),
        "client": members["client"],
        "person": members.get("user", ""),
        "neighbours": _neighbours(made.kind),
    }


def _neighbours(kind: Kind | None) -> list[tuple[str, str]]:
    """The kinds before and after it in the catalogue, each with the word for its way."""
    if kind is None:
        return []
    names = list(kinds())
    place = names.index(kind.name)
    before = [("Previous", name) for name in names[max(place - 1, 0) : place]]
    return [*before, *(("Next", name) for name in names[place + 1 : place + 2])]
