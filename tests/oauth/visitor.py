"""Somebody with a browser: cookies by path, forms filled in as they stand on the page, no redirect followed unseen."""

import asyncio
import re
from dataclasses import dataclass, field
from html import unescape
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from tests.conftest import BASE, CHALLENGE, REDIRECT_URI, App

PASSWORD = "smartauth-demo"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def good_request(client: Any, **changes: Any) -> dict[str, Any]:
    """A good authorization request, with changes; None leaves a parameter out, a list sends it so often."""
    good = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": "launch/patient patient/Observation.rs patient/Condition.rs",
        "state": "state-of-the-app",
        "aud": BASE,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def redirect_query(response: httpx.Response) -> dict[str, str]:
    """What a redirect to the app carries, each once."""
    query = parse_qs(urlsplit(response.headers["Location"]).query, strict_parsing=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


# each once, for what others did counts against an address; the next one is of another network
_addresses = cycle(f"198.51.{third}.{last}" for last in range(256) for third in range(256))


@dataclass
class Visitor:
    """A browser profile at one address, which no other has."""

    app: App
    address: str = field(default_factory=lambda: next(_addresses))

    def __post_init__(self) -> None:
        from smartauth.asgi import application

        transport = httpx.ASGITransport(application, raise_app_exceptions=False, client=(self.address, 40000))
        self.browser = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        response: httpx.Response = self.app.run(self.browser.request(method, path, **options))
        return response

    def ask(self, client: Any, **changes: Any) -> httpx.Response:
        """The authorization request by GET."""
        return self.request("GET", f"/o/authorize?{urlencode(good_request(client, **changes), doseq=True)}")

    def follow(self, response: httpx.Response) -> httpx.Response:
        """The next page of our own; a redirect to an app stays as it is."""
        while response.status_code == 303 and response.headers["Location"].startswith("/"):
            response = self.request("GET", response.headers["Location"])
        return response

    def send(self, page: httpx.Response, **fields: Any) -> httpx.Response:
        """The page's form with its hidden fields and these, to the page's own address."""
        body = urlencode({**hidden_fields(page), **fields}, doseq=True)
        return self.request("POST", str(page.url), content=body, headers=FORM)

    def sign_in(self, page: httpx.Response, person: Any, password: str = PASSWORD) -> httpx.Response:
        """The page after the login page was sent; the login page again if it failed."""
        return self.follow(self.send(page, username=person.username, password=password))

    def at_once(self, page: httpx.Response, times: int, **fields: Any) -> list[httpx.Response]:
        """The page's form, sent so often in parallel."""
        body = urlencode({**hidden_fields(page), **fields}, doseq=True)

        async def send() -> list[httpx.Response]:
            every = (self.browser.post(str(page.url), content=body, headers=FORM) for _ in range(times))
            return list(await asyncio.gather(*every))

        found: list[httpx.Response] = self.app.run(send())
        return found

    def reach_consent(self, client: Any, person: Any, **changes: Any) -> httpx.Response:
        """The consent page of somebody with one record."""
        page = self.sign_in(self.follow(self.ask(client, **changes)), person)
        assert page.url.path.endswith("/consent"), page.text
        return page

    def allow(self, page: httpx.Response, **changes: Any) -> httpx.Response:
        """The consent page with what is ticked, and "Allow access"."""
        as_it_stands = {"ask": ticked_lines(page), "ask-time": ticked_times(page), **ticked_kinds(page)}
        return self.send(page, **{**as_it_stands, "answer": "allow", **changes})


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    """What the page's form sends along unseen."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)"', page.text))
    assert "csrfmiddlewaretoken" in found, page.text
    return found


def ticked_lines(page: httpx.Response) -> list[str]:
    return re.findall(r'name="ask" value="(\d+)" checked', page.text)


def ticked_times(page: httpx.Response) -> list[str]:
    return re.findall(r'name="ask-time" value="(\d+)" checked', page.text)


def ticked_kinds(page: httpx.Response) -> dict[str, list[str]]:
    """What stands in the fieldsets of divided types: all, some or none, and which kinds."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(ask-\d+(?:-kind)?)" value="(\w+)" checked', page.text):
        found.setdefault(name, []).append(value)
    return found


def everything_unticked(page: httpx.Response) -> dict[str, Any]:
    """The fields of a page on which everything was unticked."""
    return {"ask": [], **{name: "none" for name in ticked_kinds(page) if not name.endswith("-kind")}}


def line_number(page: httpx.Response, text: str) -> str:
    """The number of the line with that text."""
    found = re.search(rf'value="(\d+)"[^>]*><span>(?:<strong[^>]*>)?{re.escape(text)}', unescape(page.text))
    assert found, page.text
    return found[1]
