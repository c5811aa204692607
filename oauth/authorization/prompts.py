"""What an app may demand of the user's login, and what it may get without a page (OIDC Core §3.1.2.1, AZ-22, E32)."""

from django.http import HttpRequest

from accounts import clock, sessions
from accounts.models import User
from accounts.rows import only_row
from oauth.authorization import previous_consent
from oauth.authorization.pending_request import Pending
from oauth.models import AddressBlock
from oauth.people import identities
from smart.explanation import Why
from smart.http.errors import AccountSelectionRequired, ConsentRequired, InteractionRequired, LoginRequired
from smart.time_units import SECOND, is_recent
from smart.tokens.address_binding import login_needed_after

MUST_ACT = "prompt none was asked, but the user must act"
HOLDS_NOTHING = "the app holds no access of the user who is signed in"


def silent_refusal(what: str) -> Why:
    """Why an app that wants no page is answered by an error; only developers and operators read it (E32)."""
    return {"rule": "AZ-22", "case": "E32", "what": what}


def is_login_recent(request: HttpRequest, pending: Pending, user: User) -> bool:
    """Whether the login is as new as the app wants it: prompt=login, select_account, max_age (OIDC Core §3.1.2.1).

    And as new as it must be after a token of this client was blocked at another address (SD-06), or where this person
    must sign in again (SD-05).
    """
    seconds = pending.authorization_request.max_login_age if pending.authorization_request else None
    wanted = pending.row.created_at - seconds * SECOND if seconds is not None else 0
    needed_after = login_needed_after(
        login_after=user.login_after, blocked_at=_blocked_at(pending, user), asked_at=pending.row.created_at
    )
    if not (wanted or needed_after):
        return True
    login, since = sessions.current(request), max(wanted, needed_after + 1)
    return login is not None and is_recent(login.created_at, since=since, now=clock.now())


def must_confirm_password(request: HttpRequest, pending: Pending, user: User) -> bool:
    """Whether this user must enter the password again, since a token of this client was blocked at another address."""
    login, blocked_at = sessions.current(request), min(_blocked_at(pending, user), pending.row.created_at)
    proved = login is not None and is_recent(login.created_at, since=blocked_at + 1, now=clock.now())
    return blocked_at > 0 and not proved


def _blocked_at(pending: Pending, user: User) -> int:
    """When a token of this person and client was last blocked at another address, 0 = never."""
    found = only_row(AddressBlock.objects.filter(user=user, client=pending.row.client))
    return found.blocked_at if found else 0


def is_silent(pending: Pending) -> bool:
    """Whether no page may be shown."""
    return pending.authorization_request is not None and "none" in pending.authorization_request.prompts


def resolve_silently(request: HttpRequest, pending: Pending, user: User | None) -> User:
    """The user, known without a page; what they would have to choose is chosen where there is no choice.

    Raises LoginRequired, ConsentRequired, AccountSelectionRequired or InteractionRequired.
    """
    if user is None:
        raise LoginRequired(MUST_ACT, **silent_refusal("nobody is signed in"))
    require_held_access(pending, user)
    if not is_login_recent(request, pending, user):
        raise LoginRequired(MUST_ACT, **silent_refusal("the sign-in is too old for this request"))
    if pending.request.subject not in ("", user.subject):
        raise LoginRequired(MUST_ACT, **silent_refusal("another user is signed in than id_token_hint names"))
    if _expects_another_user(pending, user):
        raise AccountSelectionRequired(MUST_ACT, **silent_refusal("another user is signed in than the app expects"))
    if pending.row.client.always_asks_consent:
        # whatever there is to choose, the consent page would come
        raise ConsentRequired(MUST_ACT, **silent_refusal("this client's requests are always asked anew"))
    if not pending.is_assigned_to(user):
        pending.assign_user(user)
    _choose_the_only_ones(pending, user)
    return user


def require_held_access(pending: Pending, user: User) -> None:
    """An app that holds nothing of this user gets an answer that follows from its request alone (E32).

    Else it could learn who is signed in and since when, or how many records they have, before anybody allowed it
    anything. Raises LoginRequired where it asked about the login, else ConsentRequired.
    """
    if previous_consent.holds_access(pending, user):
        return
    authorization_request = pending.request
    raise (
        LoginRequired(MUST_ACT, **silent_refusal(HOLDS_NOTHING))
        if authorization_request.max_age or authorization_request.subject
        else ConsentRequired(MUST_ACT, **silent_refusal(HOLDS_NOTHING))
    )


def _expects_another_user(pending: Pending, user: User) -> bool:
    hint = pending.request.login_hint
    return pending.launch_user_id not in (None, user.pk) or bool(hint and hint not in (user.username, user.email))


def _choose_the_only_ones(pending: Pending, user: User) -> None:
    if pending.request.needs_patient and not pending.row.patient:
        found = list(identities.shareable_records(user, pending.row.fhir_server)[:2])
        if len(found) != 1 or identities.finds_patients_by_search(user, pending.row.fhir_server):
            raise InteractionRequired(MUST_ACT, **silent_refusal("there is not exactly one patient to choose"))
        pending.choose_patient(found[0].patient)
    if pending.needs_encounter_choice:
        encounters = list(identities.encounters(pending.patient)[:2])
        if len(encounters) > 1:
            raise InteractionRequired(MUST_ACT, **silent_refusal("there are several encounters to choose from"))
        pending.choose_encounter(encounters[0].encounter)
