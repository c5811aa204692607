"""How the list of people is narrowed: by what they are, and by whether they may come in."""

from django.db.models import Q

from oauth.models import FhirIdentity
from operators.admin.filters import filter_by

STATE = filter_by(
    "state",
    "state",
    {
        "in": ("may sign in", lambda found: found.filter(suspended_at=0)),
        "suspended": ("suspended", lambda found: found.filter(suspended_at__gt=0)),
    },
)
ROLE = filter_by(
    "role",
    "role",
    {
        "operator": ("operator", lambda found: found.filter(is_staff=True)),
        "practitioner": ("practitioner", lambda found: found.filter(_with_identity("Practitioner"))),
        "patient": ("patient", lambda found: found.filter(_with_identity("Patient"))),
        "relative": ("parent or other relative", lambda found: found.filter(_with_identity("RelatedPerson"))),
    },
)


def _with_identity(resource_type: str) -> Q:
    return Q(pk__in=FhirIdentity.objects.filter(resource__startswith=f"{resource_type}/").values("user"))
