"""People, who they are on FHIR servers, and for which patients they may act."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from accounts.usernames import is_similar_taken
from oauth.models import ActsFor, FhirIdentity, PatientRecord
from oauth.registration import people
from oauth.seeding.outcome import Outcome, fhir_server_at, find_row, save_fields, set_fields
from oauth.seeding.schema import SeedError

_CLAIMS = ("name", "given_name", "family_name", "locale", "email", "email_verified")
KEYS = {"resource": "fhir_user"}  # what a field of the row is called in the file


def save_person(entry: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `people`. The password is the first one: it is set when the person is made and never again."""
    username = entry["username"]
    row: User = find_row(User.objects.get_queryset(), username=username) or User(username=username)
    added = row._state.adding
    changed = set_fields(row, _values(entry, row))
    problems = people.problems(row, name_is_taken=added and is_similar_taken(username))
    if not added:
        problems.pop("username", None)  # a name from before this rule stays
    SeedError.refuse(problems, path, entry)
    if added:
        row.password = outcome.password_hash(_password(entry, row, path))
    save_fields(row, [*changed, *row.mark_updated(changed)])
    for place, identity in enumerate(entry.get("identities", [])):
        changed += _save_identity(row, identity, f"{path}.identities[{place}]")
    outcome.record_change(f"person {row.username}", added, changed, person=row.subject)


def _values(entry: dict[str, Any], row: User) -> dict[str, Any]:
    values: dict[str, Any] = {name: entry[name] for name in _CLAIMS if name in entry}
    if values.get("email", row.email) != row.email:
        values.setdefault("email_verified", 0)  # somebody vouched for the address before
    if "operator" in entry:
        values |= {"is_staff": entry["operator"], "is_superuser": entry["operator"]}
    return values


def _password(entry: dict[str, Any], row: User, path: str) -> str | None:
    """Without one the person cannot sign in until an operator sets one."""
    if "password" not in entry:
        return None
    try:
        validate_password(entry["password"], row)
    except ValidationError as error:
        raise SeedError(f"{path}.password", " ".join(error.messages)) from None
    return str(entry["password"])


def _save_identity(row: User, entry: dict[str, Any], path: str) -> list[str]:
    base = fhir_server_at(entry["fhir_server"], f"{path}.fhir_server")
    found = FhirIdentity.objects.filter(user=row, fhir_server=base).first()
    identity = found or FhirIdentity(user=row, fhir_server=base)
    changed = set_fields(identity, {"resource": entry["fhir_user"]})
    known = dict(PatientRecord.objects.filter(fhir_server=base).values_list("patient", "pk"))
    acts_for = entry.get("acts_for", [])
    wanted = list(known) if acts_for == "all" else acts_for
    SeedError.refuse(people.identity_problems(identity, wanted, known), path, entry, KEYS)
    save_fields(identity, changed)
    if "acts_for" in entry:
        changed += _save_acts_for(identity, {known[patient] for patient in wanted})
    return [f"{KEYS.get(name, name)} at {base.base}" for name in changed]


def _save_acts_for(identity: FhirIdentity, keys: set[int]) -> list[str]:
    """Exactly these patients: one that is no longer listed may no longer be chosen."""
    before = set(identity.acts_for.values_list("record", flat=True))
    identity.acts_for.filter(record__in=before - keys).delete()
    ActsFor.objects.bulk_create(ActsFor(identity=identity, record_id=key) for key in sorted(keys - before))
    return [] if keys == before else ["acts_for"]
