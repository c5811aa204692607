"""`/dev/tokens` in the browser, in development only: choose, get a token, see what is wrong with it."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from oauth.http.private_page import private_page
from oauth.workbench import token_details
from oauth.workbench.good_token import CannotMint
from oauth.workbench.hand_out import HandedOut
from oauth.workbench.order import InvalidOrder
from oauth.workbench.tokens_api import TokensView, ordered_token
from oauth.workbench.tokens_form import GOOD, TokenForm
from smart.http.errors import InvalidRequest
from smartauth_probe.catalogue import groups, kinds
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
    return _choose(request) if request.method in ("GET", "HEAD") else TokensView.as_view()(request)


@require_safe
def _choose(request: HttpRequest) -> HttpResponse:
    return _catalogue_page(request, TokenForm.of(None))


@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """The form, sent: a page with the token, which a reload makes anew; or the form again with what is wrong."""
    form, kind = TokenForm.of(request.POST), request.POST.get("kind", GOOD)
    try:
        members = form.members(kind)
        made = ordered_token(members)
    except InvalidOrder as problem:
        return _catalogue_page(request, form, problem=str(problem), field=problem.option)
    except CannotMint as problem:
        return _catalogue_page(request, form, problem=f"Such a token cannot be made here: {problem}.")
    except InvalidRequest as problem:
        return _catalogue_page(request, form, problem=f"{problem.description}.")
    return private_page(request, "dev_token.html", _details(made, members, form))


def _catalogue_page(request: HttpRequest, form: TokenForm, *, problem: str = "", field: str = "") -> HttpResponse:
    fools = request.GET.get("fools", "")
    shown = [(group, _rows(group, fools)) for group in groups()]
    context: dict[str, object] = {
        "form": form,
        "groups": [(group, rows) for group, rows in shown if rows],
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
    return [_row(kind) for kind in group.kinds if _is_shown(kind, fools)]


def _row(kind: Kind) -> dict[str, object]:
    """What a page says of a kind; code in its sentences alternates with words."""
    statuses = [str(status) for status in sorted(kind.answer.statuses)]
    return {
        "kind": kind,
        "wrong": kind.wrong.removesuffix(".").split("`"),
        "policy": kind.policy.split("`") if kind.policy else [],
        "fools": FOOLS[kind.fools],
        "answer": " or ".join(statuses),
        "is_request": kind.group == ON_THE_WAY,
    }


def _details(made: HandedOut, members: dict[str, Any], form: TokenForm) -> dict[str, object]:
    """Everything that the page of one token shows."""
    parts = token_details.read_parts(made)
    return {
        "made": made,
        "row": _row(made.kind) if made.kind else None,
        "is_changed": made.kind is None and made.good is not None,
        "token_parts": token_details.token_parts(made.token),
        "parts": parts,
        "must_answer": token_details.must_answer(made.kind.answer) if made.kind else [],
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
