"""The page for somebody who is signed in while the EHR launched the app for another user (E27)."""

from django.http import HttpRequest, HttpResponse

from oauth.pending import Pending
from oauth.redirects import person_page, within
from oauth.steps import cancelled, person, step
from oauth.stub import Stub


@step("GET", "POST")
def another_user(request: HttpRequest, pending: Pending) -> HttpResponse:
    """Switch the user, or tell the app that nothing was allowed. Never says whose launch it is."""
    if request.method == "POST":
        raise cancelled()
    user = person(request)
    if user is None or pending.launched_for in (None, user.pk):
        return within(pending.url)
    context = {**Stub(pending).context(), "signed_in_as": str(user)}
    return person_page(request, "another_user.html", context, status=403, leads_to=pending.redirect_uri)
