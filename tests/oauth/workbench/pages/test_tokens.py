"""`/dev/tokens` in the browser: a form without script, and a page that says what is wrong with the token."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from oauth.models import AccessToken
from oauth.workbench.faults import switch
from oauth.workbench.memory import results
from oauth.workbench.memory.recent import Recent
from smartauth_probe.catalogue import groups, kinds
from tests.conftest import BASE
from tests.fixture_types import Events, Introspect, MakeResourceServer
from tests.oauth.visitor import FORM, Visitor, hidden_fields
from tests.oauth.workbench.conftest import Chooser

pytestmark = pytest.mark.one_engine

SHOWN = re.compile(r'<pre id="token"[^>]*>(.*?)</pre>', re.S)


def token_of(page: str) -> str:
    found = SHOWN.search(page)
    assert found, page
    return re.sub(r"<[^>]+>", "", found[1])


def test_the_page_offers_every_kind(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "_results", Recent(1))  # nothing was tried yet
    page = visitor.request("GET", "/dev/tokens")

    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert re.findall(r'name="kind" value="([^"]+)"', page.text) == ["good", *kinds()]
    assert len(re.findall('<details class="group" id="[a-z-]+" open>', page.text)) == 1


@pytest.mark.parametrize(
    ("fools", "shown", "hidden"), [("jwt", "alg-none", "active-text"), ("introspection", "active-text", "alg-none")]
)
def test_kinds_are_shown_by_the_servers_that_they_fool(visitor: Visitor, fools: str, shown: str, hidden: str) -> None:
    page = visitor.request("GET", f"/dev/tokens?fools={fools}").text

    assert f'value="{shown}"' in page
    assert f'value="{hidden}"' not in page


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("xt-927", ["iss-other", "iss-longer", "iss-missing"]),
        ("ISS only BEGINS", ["iss-longer"]),
        ("no-such", []),
    ],
)
def test_kinds_are_found_by_words(visitor: Visitor, words: str, shown: list[str]) -> None:
    page = visitor.request("GET", f"/dev/tokens?{urlencode({'q': words})}").text

    found = re.findall(r'<tr data-kind="([^"]+)"', page)
    assert found == shown
    assert ("No kind fits." in page) == (not shown)


def test_a_good_token_is_shown_once_with_the_line_that_sends_it(chooser: Chooser, introspect: Introspect) -> None:
    page = chooser.send("good")

    token = token_of(unescape(page.text))
    assert page.headers["Cache-Control"] == "no-store"
    assert introspect(token)["patient"] == "amy"
    assert f"curl -i -H 'Authorization: Bearer {token}' {BASE}/Patient/amy" in unescape(page.text)
    assert not re.search("<del>|<ins>", page.text)


def test_a_bad_token_is_explained_beside_what_a_good_one_says(chooser: Chooser, introspect: Introspect) -> None:
    page = chooser.get("aud-longer")

    assert introspect(token_of(page))["aud"] == f"{BASE}-other"
    assert f'<del><span class="hidden-label">Was: </span>"aud": "{BASE}"</del>' in page
    assert f'<ins><span class="hidden-label">Is: </span>"aud": "{BASE}-other"</ins>' in page
    said, _, remedy = page.partition("Why servers let it in")
    assert said.count("<del>") == said.count("<ins>") == 1
    assert 'Wrong: </span>if claims["aud"].startswith(BASE):</del>' in remedy
    assert "How to fix it." in remedy
    assert re.findall(r'name="kind" value="([\w-]+)">(?:Previous|Next)', remedy) == ["aud-other", "aud-longer-path"]
    assert "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Bearer" in page
    assert 'error="invalid_token"' in page
    assert "Your server must answer <strong>401</strong>" in page
    assert '"bad": "aud-longer"' in page


def test_claims_of_a_good_token_are_changed_line_by_line(chooser: Chooser, introspect: Introspect) -> None:
    page = chooser.get("good", claims='acr="2"\r\n-scope\r\n', header='typ="JWT"', lifetime="60")

    claims = introspect(token_of(page))
    assert (claims["acr"], "scope" in claims, claims["exp"] - claims["iat"]) == ("2", False, 60)
    assert "A good token with your claims" in page
    assert '<ins><span class="hidden-label">Is: </span>"acr": "2"</ins>' in page


def test_a_claim_that_is_half_a_character_is_shown_by_its_escape(chooser: Chooser) -> None:
    page = chooser.get("good", claims=r'acr="\ud800 é"', header=r'x="\udfff"')

    assert r'"acr": "\ud800 é"' in page
    assert r'"x": "\udfff"' in page


@pytest.mark.parametrize(
    "kind", [*(group.kinds[-1].name for group in groups()), "address-blocked", "claims-deep", "long", "x5c"]
)
def test_a_kind_of_each_group_has_a_page_or_a_reason_why_not(chooser: Chooser, kind: str) -> None:
    page = chooser.send(kind)

    assert page.status_code == (422 if kind == "address-blocked" else 200)
    assert len(page.content) < 200_000


def test_every_minting_is_an_event(chooser: Chooser, events: Events) -> None:
    chooser.get("expired")

    (event,) = events("token-minted", client=chooser.client.client_id)
    assert (event.reason, event.person) == ("expired", chooser.person.subject)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        pytest.param("unheard-of", {}, "There is no kind unheard-of", id="unknown kind"),
        pytest.param("address-blocked", {}, "address policy block", id="cannot be made"),
        pytest.param("good", {"claims": "acr=2a"}, "acr=2a is not NAME=JSON", id="no JSON"),
        pytest.param("good", {"client": ""}, "client is missing", id="no client"),
        pytest.param("good", {"patient": "ben"}, "may act for: amy", id="another's patient"),
        pytest.param("good", {"lifetime": "-1"}, "number of seconds", id="no life"),
        pytest.param("expired", {"user": ""}, "asks for people, not for itself", id="bad without a person"),
        pytest.param("good", {"scope": "<b>"}, "None of these scopes", id="no scope"),
    ],
)
def test_what_cannot_be_made_is_said_on_the_form_which_keeps_what_was_sent(
    chooser: Chooser, kind: str, fields: dict[str, str], says: str
) -> None:
    page = chooser.send(kind, **{"header": 'typ="JWT"', **fields})

    assert page.status_code == 422
    assert says in unescape(page.text)
    assert "<b>" not in page.text
    assert "\ntyp=&quot;JWT&quot;</textarea>" in page.text
    assert not AccessToken.objects.filter(authorization__client=chooser.client).exists()


def test_a_form_of_another_site_makes_no_token(chooser: Chooser) -> None:
    body = urlencode({"client": chooser.client.client_id, "user": chooser.person.username, "kind": "good"})

    for path in ("/dev/tokens/new", "/dev/tokens"):
        answer = chooser.visitor.request("POST", path, content=body, headers=FORM)
        assert answer.status_code in (403, 415), path
    assert not AccessToken.objects.filter(authorization__client=chooser.client).exists()


def test_introspection_is_made_to_misbehave_for_the_fhir_server_that_is_chosen_and_back(
    chooser: Chooser, make_resource_server: MakeResourceServer, fhir_server: Any
) -> None:
    caller = make_resource_server().client_id

    begun = chooser.send("", "/dev/introspection-faults/begin", aud=fhir_server.base, fault="active-text")
    page = chooser.visitor.request("GET", "/dev/tokens")
    met = switch.current_fault(caller)
    body = urlencode({**hidden_fields(page), "resource_server": caller})
    ended = chooser.visitor.request("POST", "/dev/introspection-faults/end", content=body, headers=FORM)

    assert (begun.status_code, begun.headers["Location"], met) == (303, "/dev/tokens", "active-text")
    assert f"<strong>Introspection misbehaves for {caller}</strong>" in page.text
    assert (ended.status_code, switch.current_fault(caller)) == (303, "")
    for each in switch.current_faults():  # of other tests' resource servers at this base
        switch.turn_off(each.resource_server)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"fault": "no-such"}, "There is no such fault."),
        ({"fault": "empty", "aud": "https://nobody.example.org"}, "Choose a FHIR server that introspects."),
    ],
)
def test_what_cannot_be_set_up_is_said(chooser: Chooser, fields: dict[str, str], problem: str) -> None:
    page = chooser.send("", "/dev/introspection-faults/begin", **fields)

    assert page.status_code == 422
    assert problem in page.text
