"""`/launcher`, in development only: somebody plays the EHR and composes a launch (EL-05)."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accounts import clock
from accounts.address import client_address
from accounts.models import User
from accounts.sessions import signed_in_user
from oauth.ehr_launch.handles import PreparedLaunch
from oauth.ehr_launch.launcher_form import LauncherForm
from oauth.http.dead_ends import NotForYou
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from oauth.models import Launch
from smart.authorize.launch import InvalidContext
from smart.fhir.fhir_user import is_practitioner
from smart.time_units import to_datetime
from smart.tokens import lifetimes

RECENT = 5
NOT_FOR_YOU = "This page is for practitioners and operators"
PURPOSE = "On it they open an app as a record system would. Your account, {username}, is for using health records."


@require_http_methods(["GET", "HEAD", "POST"])
def launcher(request: HttpRequest) -> HttpResponse:
    """The page; its lists anew after another app, server or person was chosen; or a launch that is ready."""
    if not settings.SMARTAUTH_DEV:
        raise Http404
    user = signed_in_user(request)
    if user is None:
        return redirect_within("/login?to=launcher")
    if not _can_launch(user):
        raise NotForYou(NOT_FOR_YOU, PURPOSE.format(username=user.username), "launcher")
    form = LauncherForm.of(user, request.POST if request.method == "POST" else None)
    if request.method != "POST" or request.POST.get("do") == "lists":
        return _page(request, form)
    try:
        made = form.prepare(client_address(request))
    except InvalidContext as problem:
        return _page(request, form, problem=str(problem))
    return _page(request, form, made=made)


def _can_launch(user: User) -> bool:
    """Operators, and practitioners of any FHIR server."""
    return user.is_staff or any(is_practitioner(identity.resource) for identity in user.identities.all())


def _page(
    request: HttpRequest, form: LauncherForm, *, problem: str = "", made: PreparedLaunch | None = None
) -> HttpResponse:
    context: dict[str, object] = {
        "form": form,
        "problem": problem,
        "made": made,
        "until": to_datetime(made.row.expires_at) if made else None,
        "minutes": settings.SMARTAUTH_LAUNCH_SECONDS // 60,
        "recent": _earlier_launches(form.composer, made),
    }
    return private_page(request, "launcher.html", context, status=422 if problem else 200)


def _earlier_launches(user: User, made: PreparedLaunch | None) -> list[dict[str, object]]:
    """The latest launches before this one and what became of them; practitioners see their own."""
    found = Launch.objects.select_related("client", "user").order_by("-pk")
    mine = found if user.is_staff else found.filter(user=user)
    before = mine.filter(pk__lt=made.row.pk) if made else mine
    now = clock.now()
    return [
        {
            "row": row,
            "used": to_datetime(row.consumed_at) if row.consumed_at else None,
            "until": to_datetime(row.expires_at),
            "waits": lifetimes.is_expired(now, row.expires_at) is False,
        }
        for row in before[:RECENT]
    ]
