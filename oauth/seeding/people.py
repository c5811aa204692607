"""People, who they are on FHIR servers, and for which patients they may act."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import User
from oauth.models import ActsFor, FhirIdentity, PatientRecord
from oauth.seeding.outcome import Outcome, put, server
from oauth.seeding.schema import SeedError


def save_person(given: dict[str, Any], path: str, outcome: Outcome) -> None:
    """One entry of `people`. The password is the first one: it is set when the person is made and never again."""
    fields: dict[str, Any] = {name: given[name] for name in ("name", "email", "email_verified") if name in given}
    if "operator" in given:
        fields |= {"is_staff": given["operator"], "is_superuser": given["operator"]}
    row = User.objects.get_queryset().filter(username=given["username"]).first()
    added = row is None
    if row is None:
        row = User(username=given["username"])
        row.set_password(_password(given, row, path))
    changed = put(row, fields)
    for place, identity in enumerate(given.get("identities", [])):
        changed += _put_identity(row, identity, f"{path}.identities[{place}]")
    outcome.note(f"person {row.username}", added, changed, person=row.subject)


def _password(given: dict[str, Any], row: User, path: str) -> str | None:
    """Without one the person cannot sign in until an operator sets one."""
    if "password" not in given:
        return None
    try:
        validate_password(given["password"], row)
    except ValidationError as error:
        raise SeedError(f"{path}.password", " ".join(error.messages)) from None
    return str(given["password"])


def _put_identity(row: User, given: dict[str, Any], path: str) -> list[str]:
    base = server(given["fhir_server"], f"{path}.fhir_server")
    identity = FhirIdentity.objects.filter(user=row, fhir_server=base).first()
    changed = put(identity or FhirIdentity(user=row, fhir_server=base), {"resource": given["fhir_user"]})
    if "acts_for" in given:
        identity = FhirIdentity.objects.get(user=row, fhir_server=base)
        changed += _put_acts_for(identity, given["acts_for"], f"{path}.acts_for")
    return [f"{name} at {base.base}" for name in changed]


def _put_acts_for(identity: FhirIdentity, wanted: list[str] | str, path: str) -> list[str]:
    """Exactly these patients: one that is no longer listed may no longer be chosen."""
    records = PatientRecord.objects.filter(fhir_server=identity.fhir_server)
    known = dict(records.values_list("patient", "pk"))
    if wanted != "all" and (unknown := [patient for patient in wanted if patient not in known]):
        raise SeedError(path, f"{identity.fhir_server.base} has no patient {unknown[0]}")
    keys = set(known.values()) if wanted == "all" else {known[patient] for patient in wanted}
    before = set(identity.acts_for.values_list("record", flat=True))
    identity.acts_for.filter(record__in=before - keys).delete()
    ActsFor.objects.bulk_create(ActsFor(identity=identity, record_id=key) for key in sorted(keys - before))
    return [] if keys == before else ["acts_for"]
