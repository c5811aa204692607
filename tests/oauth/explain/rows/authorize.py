"""Bad requests at /o/authorize, and what a person may do wrong on its pages (E1 to E43)."""

from typing import Any
from urllib.parse import urlencode

import httpx

from accounts import clock
from oauth.models import FhirServer, Launch, PendingRequest
from smart.digests import random_token, sha256_hex
from smart.time_units import MINUTE
from tests.conftest import BASE, REDIRECT_URI
from tests.oauth.explain.rows.row import ACCEPTED, Row, Rows, World, add_to
from tests.oauth.visitor import FORM, good_request

AUTHORIZE: Rows = {}
row = add_to(AUTHORIZE)

SCOPE = "launch patient/Observation.rs"
CLIENT = {"scope": "launch launch/patient openid patient/*.rs"}

# one changed parameter of a good request; None leaves it out, a list sends it so often
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "E1": ("AZ-06", {"client_id": "nobody-knows"}),
    "E2": ("AZ-04", {"redirect_uri": [REDIRECT_URI, REDIRECT_URI]}),
    "E3": ("AZ-03", {"redirect_uri": None}),
    "E4": ("AZ-05", {"redirect_uri": f"{REDIRECT_URI}/"}),
    "E7": ("AZ-05", {"redirect_uri": f"{REDIRECT_URI}#x"}),
    "E8": ("AZ-01", {"response_type": None}),
    "E9": ("AZ-01", {"response_type": "token"}),
    "E11": ("AZ-04", {"scope": ["patient/*.rs", "patient/*.rs"]}),
    "E12": ("AZ-03", {"state": None}),
    "E13": ("AZ-03", {"scope": None}),
    "E14": ("AZ-03", {"scope": 'patient/*.rs "'}),
    "E16": ("SCP-06", {"scope": "unknown"}),
    "E17": ("SCP-06", {"scope": "system/*.rs"}),
    "E18": ("AZ-08", {"aud": None}),
    "E19": ("AZ-08", {"aud": "https://evil.example/fhir/r4"}),
    "E20": ("AZ-08", {"resource": "https://evil.example/fhir/r4"}),
    "E21": ("AZ-07", {"code_challenge": None}),
    "E22": ("AZ-07", {"code_challenge_method": "plain"}),
    "E23": ("AZ-07", {"code_challenge": "short"}),
    "E24": ("AZ-10", {"scope": SCOPE}),
    "E25": ("AZ-10", {"scope": SCOPE, "launch": "never-made"}),
    "E32": ("AZ-22", {"prompt": "none"}),
    "E33": ("AZ-22", {"prompt": "none login"}),
    "E34": ("AZ-03", {"request": "eyJhbGciOiJub25lIn0.e30."}),
    "E35": ("AZ-06", {"request_uri": "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc"}),
    "E36": ("AZ-16", {"response_mode": "fragment"}),
    "E43": ("AZ-22", {"id_token_hint": "not-a-token"}),
}


def asked(changes: dict[str, Any]) -> Any:
    return lambda world: world.visitor.ask(world.make_client(**CLIENT), **changes)


AUTHORIZE.update({name: Row(rule, asked(changes), name) for name, (rule, changes) in CHANGES.items()})


@row("E5", "AZ-05", case="E4", because="whose the address is would be another question to the database")
def _(world: World) -> httpx.Response:
    another = world.make_client(redirect_uris="https://another.example/cb")
    return world.visitor.ask(world.make_client(), redirect_uri=another.redirect_uris)


@row("E6", ACCEPTED)
def _(world: World) -> httpx.Response:
    native = world.make_client(application_type="native", redirect_uris="http://127.0.0.1:4999/cb")
    return world.visitor.ask(native, redirect_uri="http://127.0.0.1:51004/cb")


@row("E10", "AZ-01")
def _(world: World) -> httpx.Response:
    return world.visitor.ask(world.make_client(grants="client_credentials"))


@row("E15", "SCP-06")
def _(world: World) -> httpx.Response:
    strict = world.make_client(refuses_unknown_scopes=1)
    return world.visitor.ask(strict, scope="patient/Observation.rs unknown")


def launch_for(client: Any, user: Any, server: Any) -> str:
    """A handle that the EHR has made for that app."""
    handle = random_token()
    about = {"digest": sha256_hex(handle), "context": '{"patient": "amy"}'}
    Launch.objects.create(client=client, user=user, fhir_server=server, expires_at=clock.now() + 5 * MINUTE, **about)
    return handle


@row("E26", "AZ-10")
def _(world: World) -> httpx.Response:
    client, elsewhere = world.make_client(**CLIENT), world.other_fhir_server
    client.fhir_servers.add(elsewhere)
    handle = launch_for(client, world.make_person("amy"), elsewhere)
    return world.visitor.ask(client, scope=SCOPE, launch=handle, aud=BASE)


@row("E27", "AZ-10")
def _(world: World) -> httpx.Response:
    client, server = world.make_client(**CLIENT), FhirServer.objects.get(base=BASE)
    handle = launch_for(client, world.make_person("amy"), server)
    page = world.visitor.follow(world.visitor.ask(client, scope=SCOPE, launch=handle))
    return world.visitor.send(world.visitor.sign_in(page, world.make_person("ben")), cancel="1")


@row("E28", "AZ-10")
def _(world: World) -> httpx.Response:
    return world.visitor.ask(world.make_client(refuses_unknown_scopes=1), launch="a-handle")


@row("E29", "AZ-11")
def _(world: World) -> httpx.Response:
    page = world.visitor.sign_in(world.visitor.follow(world.visitor.ask(world.make_client())), world.make_person())
    return world.visitor.send(page, cancel="1")


def consent(world: World) -> httpx.Response:
    return world.visitor.reach_consent(world.make_client(), world.make_person("amy"))


@row("E30", "AZ-20")
def _(world: World) -> httpx.Response:
    return world.visitor.allow(consent(world), ask="999")


@row("E31", "AZ-14")
def _(world: World) -> httpx.Response:
    return world.visitor.send(consent(world), answer="deny")


@row("E37", "AZ-02")
def _(world: World) -> httpx.Response:
    return world.visitor.request("POST", "/o/authorize", json=good_request(world.make_client()))


@row("E38", "AZ-02")
def _(world: World) -> httpx.Response:
    return world.visitor.request("PUT", f"/o/authorize?{urlencode(good_request(world.make_client()))}")


@row("E39", "AZ-24")
def _(world: World) -> httpx.Response:
    return world.visitor.ask(world.make_client(), unknown="x" * 9000)


@row("E40", "AZ-20")
def _(world: World) -> httpx.Response:
    page = consent(world)
    PendingRequest.objects.filter(user__isnull=False).order_by("-pk").update(answered_at=1)
    return world.visitor.allow(page)


@row("E41", ACCEPTED, because="the browser refuses, by what stands in every page's headers")
def _(world: World) -> httpx.Response:
    page = consent(world)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    return page


@row("E42", "E42")
def _(world: World) -> httpx.Response:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    world.monkeypatch.setattr("oauth.authorization.authorize.store", fail)
    body = urlencode(good_request(world.make_client()))
    return world.visitor.request("POST", "/o/authorize", content=body, headers=FORM)
