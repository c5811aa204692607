"""The page for somebody who is signed in while the EHR's launch, or the app, is meant for another user (E27, E43)."""

from django.http import HttpRequest, HttpResponse

from oauth.authorization.interaction import cancelled, person, step
from oauth.authorization.pending_request import Pending
from oauth.authorization.request_summary import Stub
from oauth.http.redirects import person_page, within
from smart.http.errors import LoginRequired

NOT_HIM = "another user is signed in than id_token_hint names"


@step("GET", "POST")
def another_user(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Switch the user, or tell the app that nothing was allowed. Never says who is meant."""
    if request.method == "POST":
        raise cancelled() if pending.launched_for else LoginRequired(NOT_HIM)
    user = person(request)
    if user is None or pending.meant_for(user):
        return within(pending.url)
    context = {**Stub(pending).context(), "signed_in_as": str(user), "launched": pending.launched_for is not None}
    return person_page(request, "another_user.html", context, status=403, leads_to=pending.redirect_uri)
