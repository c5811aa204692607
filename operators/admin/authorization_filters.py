"""How the list of authorizations is narrowed: by what became of them, by person, by whether they work unattended."""

from oauth.models import liveness
from operators.admin.filters import filter_by, filter_by_link

STATE = filter_by(
    "state",
    "state",
    {
        "live": ("live", liveness.usable),
        "flagged": ("flagged", lambda found: liveness.usable(found.filter(flagged_at__gt=0))),
        "ended": ("ended", lambda found: liveness.with_unusable_reason(found).exclude(unusable_reason="")),
    },
)
OFFLINE = filter_by(
    "works while the person is away",
    "offline",
    {
        "yes": ("yes", lambda found: found.filter(scope__contains="offline_access")),
        "no": ("no", lambda found: found.exclude(scope__contains="offline_access")),
    },
)
PERSON = filter_by_link("person", "person", lambda found, name: found.filter(user__username=name))
