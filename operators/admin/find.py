"""One field of the start page that finds a row or explains: a token is pasted into it, so it comes by POST alone."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import User
from oauth.explain.page import page_at
from oauth.explain.references import find_refusal
from oauth.models import AccessToken, Authorization, Client, parse_reference
from smart.digests import sha256_hex


def explain_for_operators(request: HttpRequest) -> HttpResponse:
    """What development has at `/explain`, for operators everywhere (AZ-25)."""
    return page_at(request, reverse("admin:explain"))


@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Leads to the row that was named whole; what names none is explained, as a token or a reference."""
    what = request.POST.get("what", "").strip()
    if url := _row_url(what):
        return HttpResponseRedirect(url, status=303)
    return explain_for_operators(request)


def _row_url(what: str) -> str:
    """The page of that token, client or person, or of the token or authorization of that number; "" of none."""
    if "\0" in what:
        return ""
    if (token := AccessToken.objects.filter(digest=sha256_hex(what)).first()) is not None:
        return _change_url("oauth_accesstoken", token.pk)
    if (client := Client.of(what)) is not None:
        return _change_url("oauth_client", client.pk)
    if (person := User.objects.get_queryset().filter(username=what).first()) is not None:
        return _change_url("accounts_user", person.pk)
    number = parse_reference(what)
    if number is None or find_refusal(what) is not None:  # a request has numbers of its own: the page says what it was
        return ""
    if AccessToken.objects.filter(pk=number).exists():
        return _change_url("oauth_accesstoken", number)
    return _change_url("oauth_authorization", number) if Authorization.objects.filter(pk=number).exists() else ""


def _change_url(table: str, key: int) -> str:
    return reverse(f"admin:{table}_change", args=[key])
