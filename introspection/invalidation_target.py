"""What an invalidation names: in the words of tokens and their introspection, all of which must hold at once."""

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from oauth.clients.json_callers import protected_fhir_server
from oauth.ending.selection import Selection
from oauth.http.credentials import AuthenticatedClient
from oauth.http.json_endpoint import Forbidden
from oauth.http.json_members import Members, required_text
from oauth.models import Authorization, Client, FhirServer, parse_reference
from smart.authorize.launch import InvalidContext, parse_fhir_id
from smart.fhir.audience import canonical_url
from smart.http.errors import InvalidRequest, InvalidTarget

NAMING = ("sub", "fhirUser", "client_id", "patient", "authorization")
AT_A_BASE = ("fhirUser", "patient")
Conditions = dict[str, Any]  # what holds for authorizations and for waiting requests alike


@dataclass(frozen=True, slots=True)
class Target:
    """Whose access ends. `people` are those that sub or fhirUser names; there may be none."""

    selection: Selection
    people: tuple[User, ...] = ()


def parse_target(members: Members, client: AuthenticatedClient | None) -> Target:
    """What is named; of a client only what belongs to the FHIR bases that it protects (None: an operator).

    Raises InvalidRequest, InvalidTarget or Forbidden.
    """
    if not any(name in members for name in NAMING):
        raise InvalidRequest(f"say whose access ends: one of {', '.join(NAMING)}")
    if "sub" in members and "fhirUser" in members:
        raise InvalidRequest("say sub or fhirUser, not both")
    base = _base(members, client)
    conditions = {**_bases(base, client), **_clients(members), **_patient(members)}
    people = _people(members, base)
    if people is not None:
        conditions |= {"user__in": people} if people else _backend(members)
    if "authorization" in members:
        return _one(members, conditions, people or ())
    whole = None if client else _everything(members, people or ())
    return Target(Selection.everything(whole) if whole else Selection.matching(**conditions), people or ())


def _base(members: Members, client: AuthenticatedClient | None) -> FhirServer | None:
    if "aud" not in members:
        if missing := [name for name in AT_A_BASE if name in members]:
            raise InvalidRequest(f"{missing[0]} needs aud: ids belong to a FHIR base")
        return None
    if client is not None:
        return protected_fhir_server(client, required_text(members, "aud"))
    found = FhirServer.of(canonical_url(required_text(members, "aud")))
    if found is None:
        raise InvalidTarget("aud is no FHIR base of this server")
    return found


def _bases(base: FhirServer | None, client: AuthenticatedClient | None) -> Conditions:
    if base is not None:
        return {"fhir_server": base}
    if client is None:
        return {}
    own = list(FhirServer.objects.filter(resource_servers__client=client.pk))
    if not own:
        raise Forbidden("this client protects no FHIR base")
    return {"fhir_server__in": own}


def _clients(members: Members) -> Conditions:
    return {"client__client_id": required_text(members, "client_id")} if "client_id" in members else {}


def _patient(members: Members) -> Conditions:
    if "patient" not in members:
        return {}
    try:
        return {"patient": parse_fhir_id(members["patient"], "patient")}
    except InvalidContext as problem:
        raise InvalidRequest(str(problem)) from None


def _people(members: Members, base: FhirServer | None) -> tuple[User, ...] | None:
    """The people that sub or fhirUser names, None where neither is there."""
    if "sub" in members:
        return tuple(User.objects.filter(subject=required_text(members, "sub")))
    if "fhirUser" not in members or base is None:
        return None
    resource = required_text(members, "fhirUser").removeprefix(f"{base.base}/")
    return tuple(User.objects.filter(identities__fhir_server=base, identities__resource=resource).order_by("pk"))


def _backend(members: Members) -> Conditions:
    """A `sub` that is nobody's may be a backend service, whose tokens name itself (RFC 9068 §2.2)."""
    return {"user": None, "client__in": list(Client.objects.filter(client_id=members.get("sub")))}


def _one(members: Members, conditions: Conditions, people: tuple[User, ...]) -> Target:
    """One authorization, if all else that is named fits it."""
    row = parse_reference(required_text(members, "authorization"))
    if row is None:
        raise InvalidRequest("authorization must be a number such as 2223-7F3K")
    return Target(Selection.of_authorizations(Authorization.objects.filter(pk=row, **conditions)), people)


def _everything(members: Members, people: tuple[User, ...]) -> User | Client | None:
    """What an operator names and nothing else: a person, or a client."""
    if members.keys() - {"lock"} == {"sub"} and people:
        return people[0]
    if members.keys() == {"client_id"}:  # a lock needs a person
        return Client.of(required_text(members, "client_id"))
    return None
