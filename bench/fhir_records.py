"""Records of the patients of bench/seed.py in the bundled FHIR server: a Patient and observations of each.

`python -m bench.fhir_records PATIENTS EACH` with the environment of the server.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from fhir.store.versions import add_versions, first_version  # noqa: E402

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def resources(patient: str, each: int) -> Iterator[dict[str, Any]]:
    """What belongs to one patient."""
    yield {"resourceType": "Patient", "id": patient, "name": [{"family": "Shaw"}], "gender": "female"}
    for number in range(each):
        yield {
            "resourceType": "Observation",
            "id": f"{patient}-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": (MOMENT + timedelta(days=3 * number)).isoformat(),
            "valueQuantity": {"value": 72.5, "unit": "kg"},
        }


def main() -> None:
    patients, each = map(int, sys.argv[1:])
    for number in range(patients):
        made = resources(f"patient-{number}", each)
        versions = [first_version("r4", one["resourceType"], one["id"], json.dumps(one), MOMENT) for one in made]
        add_versions(versions)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
