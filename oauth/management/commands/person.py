"""`manage.py person add USERNAME`: somebody who signs in."""

import json
from typing import Any

from django.core.management.base import CommandError

from accounts.models import User
from oauth.management.single_rows import add_person
from oauth.management.typed_password import ask_password
from oauth.management.verb_command import VerbCommand
from oauth.management.verbs.people import PERSON
from oauth.models import FhirIdentity


class Command(VerbCommand):
    verb = PERSON

    def handle(self, **options: Any) -> None:
        person, _ = add_person(_entry(options))
        facts = _facts(person)
        self.stdout.write(json.dumps(facts, indent=2) if options["json"] else _sentence(facts))


def _entry(options: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = {name: options[name] for name in ("username", "name", "email")}
    if options["operator"]:
        entry["operator"] = "true"
    if options["password"]:
        entry["password"] = ask_password(User(username=options["username"], name=options["name"] or ""))
    identity = {name: options[name] for name in ("fhir_server", "fhir_user", "acts_for") if options[name]}
    if identity and not {"fhir_server", "fhir_user"} <= identity.keys():
        raise CommandError("--fhir-server and --fhir-user belong together. Nothing was written.")
    return {**entry, "identities": [identity] if identity else []}


def _facts(person: User) -> dict[str, Any]:
    identities = FhirIdentity.objects.filter(user=person).select_related("fhir_server")
    return {
        "username": person.username,
        "sub": person.subject,
        "name": person.name,
        "operator": person.is_staff,
        "can_sign_in": person.has_usable_password(),
        "identities": [{"fhir_server": each.fhir_server.base, "fhir_user": each.resource} for each in identities],
    }


def _sentence(facts: dict[str, Any]) -> str:
    later = "" if facts["can_sign_in"] else " They cannot sign in until `password` sets one."
    return f"added {facts['username']}, sub {facts['sub']}.{later}"
