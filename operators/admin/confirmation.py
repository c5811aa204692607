"""The page between an action and its doing: what else ends, counted, and one button."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from accounts import clock
from oauth.models import AccessToken, Authorization, liveness
from operators.admin.rendering import count_text


def is_confirmed(request: HttpRequest) -> bool:
    """Whether this is the answer to the page rather than the first click."""
    return request.POST.get("confirmed") == "yes"


def consequences(authorizations: QuerySet[Authorization]) -> list[str]:
    """What ends with these authorizations, in words: tokens, authorizations, people, apps."""
    standing = liveness.usable(authorizations)
    found = standing.aggregate(
        rows=Count("pk"), people=Count("user", distinct=True), apps=Count("client", distinct=True)
    )
    return [
        f"{count_text(live_token_count(authorizations), 'live token')}, at the next request that uses one",
        f"{count_text(found['rows'], 'authorization')} of {count_text(found['people'], 'person', 'people')} "
        f"for {count_text(found['apps'], 'client')}",
    ]


def live_token_count(authorizations: QuerySet[Authorization]) -> int:
    """How many live access tokens belong to them."""
    return liveness.live(AccessToken.objects.filter(authorization__in=authorizations), now=clock.now()).count()


def page(
    request: HttpRequest,
    admin: "ModelAdmin[Any]",
    rows: Iterable[Any],
    *,
    title: str,
    button: str,
    ending: Sequence[str],
    lead: str = "",
    **more: object,
) -> TemplateResponse:
    """The confirming page. Its button repeats the action with confirmed=yes."""
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": title,
        "rows": list(rows),
        "button": button,
        "ending": ending,
        "lead": lead,
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
        **more,
    }
    return TemplateResponse(request, "admin/confirm.html", context)
