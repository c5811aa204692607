"""Default deny: a route is its interactions and types, or it cannot exist (SD-23)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ImproperlyConfigured

from smart.decisions.interactions import LETTERS

PUBLIC = "capabilities"
NOWHERE = "nowhere"  # a path at which nothing is served: known callers get 404, others 401
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Route:
    """What may happen at a path: an interaction for each method, and the types it is about. HEAD is GET."""

    path: str
    interactions: Mapping[str, str]
    types: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not self.interactions:
            raise ImproperlyConfigured(f"{self.path}: declare an interaction for each method.")
        if unknown := set(self.interactions.values()) - {*LETTERS, PUBLIC, NOWHERE}:
            raise ImproperlyConfigured(f"{self.path}: no scope is known for {sorted(unknown)}.")
        if unknown := set(self.interactions) - set(METHODS):
            raise ImproperlyConfigured(f"{self.path}: unknown methods {sorted(unknown)}.")
        self._check_types()

    def _check_types(self) -> None:
        about_types = set(self.interactions.values()) & set(LETTERS)
        if about_types and not (self.types and "<str:type>" in self.path):
            raise ImproperlyConfigured(f"{self.path}: declare the types of {sorted(about_types)}, and <str:type>.")
        if about_types and set(self.interactions.values()) - about_types:
            raise ImproperlyConfigured(f"{self.path}: public and protected interactions at one path.")

    def interaction(self, method: str | None) -> str | None:
        """The declared interaction of a method, None where there is none."""
        return self.interactions.get("GET" if method == "HEAD" else method or "")

    @property
    def public(self) -> bool:
        """Whether the route asks for no token, and so does not look at one (TV-24)."""
        return set(self.interactions.values()) == {PUBLIC}


def all_routes(types: Iterable[str]) -> tuple[Route, ...]:
    """Every path that FHIR's http page gives to a type, the statement, and last whatever else is asked."""
    known = frozenset(types)
    return (
        Route("metadata", {"GET": PUBLIC}),
        Route("<str:type>", {"GET": "search-type", "POST": "create"}, known),
        Route("<str:type>/_search", {"POST": "search-type"}, known),
        Route("<str:type>/_history", {"GET": "history-type"}, known),
        Route("<str:type>/<str:id>", _INSTANCE, known),
        Route("<str:type>/<str:id>/_history", {"GET": "history-instance"}, known),
        Route("<str:type>/<str:id>/_history/<str:version_id>", {"GET": "vread"}, known),
        Route("<path:rest>", dict.fromkeys(METHODS, NOWHERE)),
        Route("", dict.fromkeys(METHODS, NOWHERE)),
    )


_INSTANCE = {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
