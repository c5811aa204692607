"""The ways in which a check asks the server with a token."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from smartauth_probe.requests import FORM, Presentation
from smartauth_probe.skip import Skip
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client
from smartauth_probe.tokens.source import GivenToken

Pairs = tuple[tuple[str, str], ...]


@dataclass
class Sending:
    """Every one raises NoAnswer and Stop."""

    client: Client

    def send(
        self, method: str, path: str, token: GivenToken, query: Pairs = (), headers: Pairs = (), body: str = ""
    ) -> Answer:
        request = Presentation(path, method, urlencode(query), (*_shown(token), *headers), body)
        return self.client.send(request, token.label)

    def read(self, kind: str, key: str, token: GivenToken, *headers: tuple[str, str]) -> Answer:
        return self.send("GET", f"{kind}/{key}", token, headers=headers)

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
        """Undoes what a server began, where that has an address below the base."""
        request = self.client.below_base(url)
        if url and request:
            self.send(method, request.path, token)


def _shown(token: GivenToken) -> Pairs:
    return (("Authorization", f"Bearer {token.value}"),) if token.value else ()
