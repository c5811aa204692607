"""Brings the database to what a seed file says: missing rows are added, different ones changed (docs/seed-file.md)."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from oauth.seeding.clients import save_client
from oauth.seeding.fhir_servers import save_fhir_server
from oauth.seeding.format import read_seed
from oauth.seeding.outcome import Outcome
from oauth.seeding.people import save_person
from oauth.seeding.schema import SeedError

__all__ = ["Outcome", "SeedError", "seed"]


def seed(path: Path) -> Outcome:
    """All of the file or nothing of it; a second run changes nothing. Raises SeedError."""
    found = read_seed(path, issuer=settings.SMARTAUTH_ISSUER)
    if found.get("demo") and not settings.SMARTAUTH_DEV:
        raise SeedError("demo", "demo data has public passwords and is for development only (SMARTAUTH_DEV)")
    outcome = Outcome(folder=path.resolve().parent, demo=found.get("demo", False))
    with transaction.atomic():
        for section, save in (("fhir_servers", save_fhir_server), ("people", save_person), ("clients", save_client)):
            for place, entry in enumerate(found.get(section, [])):
                save(entry, f"{section}[{place}]", outcome)
    return outcome
