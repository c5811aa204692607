"""The page for somebody who is signed in while the EHR's launch, or the app, is meant for another user (E27, E43)."""

from django.http import HttpRequest, HttpResponse

from accounts.sessions import signed_in_user
from oauth.authorization.interaction import step
from oauth.authorization.pending_request import Pending
from oauth.authorization.refusals import denied_to_another_user
from oauth.authorization.request_summary import RequestSummary
from oauth.http.private_page import private_page
from oauth.http.redirects import redirect_within
from smart.http.errors import LoginRequired

NOT_THE_HINTED_USER = "another user is signed in than id_token_hint names"


@step("GET", "POST")
def wrong_user(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Switch the user, or tell the app that nothing was allowed. Never says who is meant."""
    if request.method == "POST":
        raise (
            denied_to_another_user()
            if pending.launch_user_id
            else LoginRequired(NOT_THE_HINTED_USER, rule="AZ-22", case="E43")
        )
    user = signed_in_user(request)
    if user is None or pending.is_meant_for(user):
        return redirect_within(pending.url)
    context = {
        **RequestSummary(pending).context(),
        "signed_in_as": str(user),
        "launched": pending.launch_user_id is not None,
    }
    return private_page(request, "wrong_user.html", context, status=403, leads_to=pending.redirect_uri)
