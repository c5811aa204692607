"""RP-initiated logout (ID-06): with the person's own ID token as a hint at once, else the person is asked."""

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from accounts import clock
from accounts.sessions import signed_in_user
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_to_app, redirect_within
from oauth.models import Client
from oauth.sign_in import login
from oauth.tokens import id_token
from smart.explanation import Explanation, explain_response
from smart.http import limits
from smart.http.parameters import MalformedParameters, Parameters
from smart.openid.logout import LogoutRequest, RegisteredApp, requesting_client_id, validate_logout
from smart.time_units import SECOND, is_recent

SALT = "a logout that an app asks for, with its time"  # another one whenever what is signed takes another shape
SECONDS = 600
LEAVE = "/o/logout/leave"


@csrf_exempt
def logout(request: HttpRequest) -> HttpResponse:
    """The app's request, by GET or by a POST from any site: nothing changes, what is left of it leads to the page."""
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    raw = (
        request.body if request.method == "POST" else request.META.get("QUERY_STRING", "").encode("latin-1", "replace")
    )
    try:
        if len(raw) > limits.MAX_QUERY:
            raise MalformedParameters("too long")
        ending = _parse_request(Parameters.parse(raw))
    except MalformedParameters:
        ending = LogoutRequest(why="the request cannot be read")
    members = {"client_id": ending.client_id, "subject": ending.subject, "leads_to": ending.leads_to, "why": ending.why}
    left = {"at": clock.now(), "request": members}
    return redirect_within(f"{LEAVE}?asked={signing.dumps(left, salt=SALT)}")


def logout_confirmation(request: HttpRequest) -> HttpResponse:
    """Asks the person, with the session's cookie that a POST of another site does not bring; and their answer."""
    if request.method not in {"GET", "POST"}:
        return HttpResponseNotAllowed(["GET", "POST"])
    logout_request, user = _read_request(request), signed_in_user(request)
    certain = logout_request.subject and user is not None and logout_request.subject == user.subject
    if user is not None and request.method == "GET" and not certain:
        return _page(request, logout_request, signed_in_as=user)
    login.sign_out(request)
    return redirect_to_app(logout_request.leads_to) if logout_request.leads_to else _page(request, logout_request)


def _parse_request(parameters: Parameters) -> LogoutRequest:
    hint = id_token.parse_hint(parameters["id_token_hint"]) if "id_token_hint" in parameters else None
    client = Client.of(requesting_client_id(parameters, hint))
    trusted = client is not None and bool(client.enabled and client.approved)
    known = (
        RegisteredApp(client.client_id, trusted, client.post_logout_redirect_uris.split())
        if client
        else RegisteredApp()
    )
    return validate_logout(parameters, hint, known)


def _read_request(request: HttpRequest) -> LogoutRequest:
    """What logout() left; nothing of what somebody else made, or of what is old."""
    now = clock.now()
    try:
        left = signing.loads(request.GET.get("asked", ""), salt=SALT)
        is_new = is_recent(left["at"], since=now - SECONDS * SECOND, now=now)
        return LogoutRequest(**left["request"]) if is_new else LogoutRequest()
    except (signing.BadSignature, KeyError, TypeError):  # of nobody, or of another version of ours
        return LogoutRequest()


def _page(request: HttpRequest, logout_request: LogoutRequest, **context: object) -> HttpResponse:
    client = Client.of(logout_request.client_id) if logout_request.client_id else None
    context |= {"app": str(client or ""), "why": logout_request.why, "back": logout_request.leads_to}
    status = 400 if logout_request.why else 200
    response = private_page(request, "logout.html", context, status=status, leads_to=logout_request.leads_to)
    if logout_request.why:
        explain_response(response, Explanation("ID-06", logout_request.why, case="E129"))
    return response
