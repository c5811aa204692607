"""The ways in which a check asks the server with a token."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from smartauth_probe.requests import FORM, Presentation
from smartauth_probe.segments import leads_up, segment
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client
from smartauth_probe.tokens.source import GivenToken

Pairs = tuple[tuple[str, str], ...]


@dataclass
class Sending:
    """Every one raises NoAnswer and Stop, and Skip for a path that an id of the server leads out of its place."""

    client: Client

    def send(
        self, method: str, path: str, token: GivenToken, query: Pairs = (), headers: Pairs = (), body: str = ""
    ) -> Answer:
        if leads_up(path):
            raise Skip("An id that the server told leads out of its place, where nothing is sent.")
        request = Presentation(path, method, urlencode(query), (*_shown(token), *headers), body)
        return self.client.send(request, token.label)

    def read(self, kind: str, key: str, token: GivenToken, *headers: tuple[str, str]) -> Answer:
        return self.send("GET", f"{kind}/{segment(key)}", token, headers=headers)

    def get_as_written(self, path: str, token: GivenToken) -> Answer:
        """By a path of the probe's own, which may have dot segments."""
        return self.client.send(Presentation(path, headers=_shown(token)), token.label)

    def search(self, kind: str, token: GivenToken, *query: tuple[str, str]) -> Answer:
        """By GET; the parameters in the order in which they are named."""
        return self.send("GET", kind, token, query)

    def post_search(self, kind: str, token: GivenToken, *form: tuple[str, str], query: Pairs = ()) -> Answer:
        path = f"{kind}/_search" if kind else "_search"
        return self.send("POST", path, token, query, (("Content-Type", FORM),), urlencode(form))

    def follow(self, url: str, token: GivenToken) -> Answer:
        """A page that the server named. Raises Skip where that is no address below the base."""
        request = self.client.below_base(url)
        if request is None:
            raise Skip("The link leads away from the base, where nothing is sent.")
        return self.client.send(replace(request, headers=_shown(token)), token.label)

    def follow_quietly(self, method: str, url: str, token: GivenToken) -> None:
        """Undoes what a server began, where that has an address below the base which is not one of records."""
        request = self.client.below_base(url)
        if request and not is_of_records(request.path):
            self.client.send(replace(request, method=method, headers=_shown(token)), token.label)


def is_of_records(path: str) -> bool:
    """Whether a request for it would be one for a record, for those of a type, or for all."""
    first, *others = path.split("/")
    return not first or (first[0].isupper() and not any(each.startswith("$") for each in others))


def _shown(token: GivenToken) -> Pairs:
    return (("Authorization", f"Bearer {token.value}"),) if token.value else ()
