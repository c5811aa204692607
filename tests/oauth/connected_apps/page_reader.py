"""What stands on the page of connected apps."""

import html
import json
import re
from typing import Any

import httpx

from accounts import clock
from oauth.models import AccessToken, Authorization, FhirServer
from smart.digests import random_token, sha256_hex
from tests.conftest import App, Granted
from tests.oauth.visitor import Visitor

DAY = 86_400_000_000
OFFLINE = "launch/patient patient/*.rs offline_access"


def page_text(visitor: Visitor, path: str = "/apps") -> str:
    """The text of the page, as it is read."""
    page = visitor.request("GET", path)
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.text.split("<main")[1])).split())


def rows(visitor: Visitor) -> list[list[str]]:
    """The table of what has ended."""
    page = visitor.request("GET", "/apps").text
    found = re.findall(r"<tr><th scope=\"row\".*?</tr>", page, re.S)
    return [
        [html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in found
    ]


def take_back(visitor: Visitor, granted: Granted) -> httpx.Response:
    return visitor.request("POST", f"/apps/{granted.authorization}/end", data={"csrfmiddlewaretoken": csrf(visitor)})


def csrf(visitor: Visitor) -> str:
    page = visitor.request("GET", "/apps/end-all")
    return page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


def refresh(app: App, answer: dict[str, Any]) -> httpx.Response:
    form = {
        "grant_type": "refresh_token", "refresh_token": answer["refresh_token"],
        "client_id": answer["granted"].client.client_id,
    }  # fmt: skip
    response: httpx.Response = app.post("/o/token", data=form)
    return response


def make_many(count: int, client: Any, person: Any, server: FhirServer) -> None:
    """So many that live and so many that ran out a day ago."""
    now = clock.now()
    made = Authorization.objects.bulk_create(
        Authorization(client=client, user=person, fhir_server=server, patient=f"many-{number}", client_epoch=0,
                      fhir_server_epoch=server.epoch, scope="patient/*.rs",
                      context=json.dumps({"patient": f"many-{number}"}), granted_at=now - 2 * DAY)
        for number in range(2 * count)
    )  # fmt: skip
    AccessToken.objects.bulk_create(
        AccessToken(digest=sha256_hex(random_token()), authorization=each, authorization_epoch=0, scope="", claims="{}",
                    issued_at=now - DAY, expires_at=now + DAY if number % 2 else now - DAY + 1)
        for number, each in enumerate(made)
    )  # fmt: skip
