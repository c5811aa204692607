"""A development smartauth, asked over HTTP for good and bad tokens (`POST /dev/tokens`, docs/bad-tokens.md)."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Unpack
from urllib.parse import urlencode, urlsplit

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.requests import FORM, Presentation
from smartauth_probe.token_order import Order

SECONDS = 30.0
CANNOT_MINT = "cannot_mint"


class OrderRefused(Exception):
    """Why there is no such token, in the words of the server."""


class CannotMint(OrderRefused):
    """A kind that cannot be made for this client and FHIR server."""


class Unreachable(Exception):
    """No development server answers at that address."""


@dataclass(frozen=True, slots=True)
class Token:
    """A good token: as text it is its value. `answer` is everything that the server said beside it."""

    value: str
    answer: Mapping[str, Any]

    def __str__(self) -> str:
        return self.value

    @property
    def authorization(self) -> str:
        """The value of the Authorization header that presents it (RFC 6750 §2.1)."""
        return f"Bearer {self.value}"


class DevelopmentServer:
    """The doors of a smartauth that runs at this address."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def token(self, **order: Unpack[Order]) -> Token:
        """A good token. Raises OrderRefused."""
        answer = self._order(order)
        return Token(answer["access_token"], answer)

    def bad_token(self, kind: str, **order: Unpack[Order]) -> BadToken:
        """One of that kind of the catalogue, a good twin among them. Raises CannotMint, OrderRefused."""
        answer = self._order({**order, "bad": kind})
        members = dict(answer["request"])
        base, headers = members.pop("base"), tuple((name, value) for name, value in members.pop("headers"))
        request = Presentation(headers=headers, **members)
        return BadToken(kinds()[kind], answer["access_token"], base, request)

    @contextmanager
    def fault(self, name: str, *, resource_server: str, seconds: int = 60) -> Iterator[None]:
        """While the block lasts, introspection misbehaves so for this resource server alone. Raises OrderRefused."""
        where, members = "/dev/introspection-faults", {"resource_server": resource_server, "fault": name}
        status, answer = self._ask("POST", where, {**members, "seconds": seconds})
        if status != 201:
            raise OrderRefused(answer.get("error_description", f"POST {where} answered {status}"))
        try:
            yield
        finally:
            self._ask("DELETE", f"{where}?{urlencode({'resource_server': resource_server})}")

    def tell_probe_result(self, numbers: Mapping[str, object]) -> None:
        """Numbers and names of checks of a run of the probe. Raises OrderRefused, Unreachable."""
        status, answer = self._ask("POST", "/dev/probe/results", numbers)
        if status != 204:
            raise OrderRefused(answer.get("error_description", f"POST /dev/probe/results answered {status}"))

    def revoke(self, token: str, client: str) -> None:
        """As the app itself, which has no secret, does it (RFC 7009 §2.1). Raises OrderRefused."""
        form = urlencode({"token": token, "client_id": client})
        status, answer = self._send("POST", "/o/revoke", form, FORM)
        if status != 200:
            raise OrderRefused(answer.get("error_description", f"POST /o/revoke answered {status}"))

    def check(self) -> None:
        """Raises Unreachable where no development server answers."""
        status, _ = self._ask("GET", "/dev/tokens/kinds")
        if status != 200:
            raise Unreachable(f"{self.url} is no development server: /dev/tokens/kinds answered {status}")

    def _order(self, order: Mapping[str, object]) -> dict[str, Any]:
        members = {name: value for name, value in order.items() if value is not None}
        status, answer = self._ask("POST", "/dev/tokens", members)
        if status == 201:
            return answer
        description = answer.get("error_description", f"POST /dev/tokens answered {status}")
        raise (CannotMint if answer.get("error") == CANNOT_MINT else OrderRefused)(description)

    def _ask(self, method: str, path: str, members: Mapping[str, object] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and object of the answer, {} where it is none. Raises Unreachable."""
        return self._send(method, path, None if members is None else json.dumps(members), "application/json")

    def _send(self, method: str, path: str, body: str | None, kind_of_body: str) -> tuple[int, dict[str, Any]]:
        """No proxy is asked."""
        url = urlsplit(self.url)
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(url.netloc, timeout=SECONDS)
        try:
            connection.request(method, url.path + path, body, {"Content-Type": kind_of_body})
            response = connection.getresponse()
            return response.status, _object(response.read())
        except (OSError, HTTPException) as problem:
            raise Unreachable(f"{self.url} did not answer: {problem}") from None
        finally:
            connection.close()


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
