"""Bad requests at /o/token, but for those of signed assertions (E44 to E58, E75 to E98)."""

import asyncio
from typing import Any

import httpx

from accounts import clock
from oauth.models import Authorization, Code
from tests.conftest import REDIRECT_URI, SECRET, VERIFIER, basic
from tests.oauth.explain.rows.row import ACCEPTED, Rows, World, add_to
from tests.oauth.tokens.refresh_client import SCOPE as OFFLINE
from tests.signing import assertion_form, jwks, pair

TOKEN: Rows = {}
row = add_to(TOKEN)

PATH = "/o/token"
EXCHANGE = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER, "code": "none"}
REFRESH = {"grant_type": "refresh_token"}
BACKEND = {"grant_type": "client_credentials"}
KEY = pair("ES384")


@row("E44", "TK-01")
def _(world: World) -> httpx.Response:
    return world.app.get(PATH)


@row("E45", "TK-01")
def _(world: World) -> httpx.Response:
    return world.app.post(PATH, json=EXCHANGE)


@row("E46", "TK-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {}, world.make_client())


@row("E47", "AZ-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {"grant_type": "password"}, world.make_client())


@row("E48", "RG-09")
def _(world: World) -> httpx.Response:
    return world.post(PATH, BACKEND, world.make_client())


@row("E49", "TK-08")
def _(world: World) -> httpx.Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return world.app.post(PATH, content="grant_type=a&grant_type=a", headers=headers)


@row("E50", "CL-01")
def _(world: World) -> httpx.Response:
    return world.app.post(PATH, data={**EXCHANGE, "client_id": world.make_client("secret").client_id})


@row("E51", "CL-01")
def _(world: World) -> httpx.Response:
    return world.app.post(PATH, data={**EXCHANGE, "client_id": "nobody-of-that-name"})


@row("E52", "CL-02")
def _(world: World) -> httpx.Response:
    return world.app.post(PATH, data=EXCHANGE, headers=basic(world.make_client("secret").client_id, "wrong"))


@row("E53", "CL-02")
def _(world: World) -> httpx.Response:
    return world.app.post(PATH, data=EXCHANGE, headers={"Authorization": "Basic !"})


@row("E54", "CL-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {**EXCHANGE, "client_secret": "x"}, world.make_client("secret"))


@row("E55", "CL-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {**EXCHANGE, "client_id": "another"}, world.make_client("secret"))


@row("E56", "CL-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {**EXCHANGE, "client_secret": "x"}, world.make_client())


@row("E57", "LV-04")
def _(world: World) -> httpx.Response:
    return world.post(PATH, EXCHANGE, world.make_client("secret", enabled=0))


@row("E58", "TK-10")
def _(world: World) -> httpx.Response:
    world.settings.SMARTAUTH_FAILURE_LIMIT = 1
    wrong = basic(world.make_client("secret").client_id, "wrong")
    world.app.post(PATH, data=EXCHANGE, headers=wrong)
    return world.app.post(PATH, data=EXCHANGE, headers=wrong)


# A code ---------------------------------------------------------------------------------------------------------------


def exchange(world: World, granted: Any, **changes: str | None) -> httpx.Response:
    return world.app.post(PATH, data=granted.exchange(**changes))


@row("E75", "CG-01")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(), code=None)


@row("E76", "AZ-17")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(life=-1))


@row("E77", "CG-04")
def _(world: World) -> httpx.Response:
    granted = world.grant()
    assert exchange(world, granted).status_code == 200
    return exchange(world, granted)


@row("E78", "CG-04", case="E77", because="the second one of the two was used before")
def _(world: World) -> httpx.Response:
    form = world.grant().exchange()

    async def both() -> list[httpx.Response]:
        return list(await asyncio.gather(*(world.app._client.post(PATH, data=form) for _ in range(2))))

    answers: list[httpx.Response] = world.app.run(both())
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    return lost


@row("E79", "AZ-17")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(), client_id=world.make_client().client_id)


@row("E80", "CG-01")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(), redirect_uri=f"{REDIRECT_URI}/")


@row("E81", "CG-02")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(), code_verifier="short")


@row("E82", "CG-02")
def _(world: World) -> httpx.Response:
    return exchange(world, world.grant(), code_verifier="another-verifier-of-the-right-length-0123456789")


@row("E83", "CG-03")
def _(world: World) -> httpx.Response:
    granted = world.grant()
    Code.objects.filter(authorization=granted.authorization).update(code_challenge="")
    return exchange(world, granted)


@row("E84", ACCEPTED)
def _(world: World) -> httpx.Response:
    answer = exchange(world, world.grant(scope="patient/Observation.rs"), scope="patient/*.cruds")
    assert answer.json()["scope"] == "patient/Observation.rs"
    return answer


@row("E85", "LV-06")
def _(world: World) -> httpx.Response:
    granted = world.grant()
    granted.person.suspended_at = clock.now()
    granted.person.save(update_fields=["suspended_at"])
    return exchange(world, granted)


# A refresh token ------------------------------------------------------------------------------------------------------


@row("E86", "RF-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, REFRESH, world.make_app())


@row("E87", "RF-01")
def _(world: World) -> httpx.Response:
    return world.post(PATH, {**REFRESH, "refresh_token": "never-issued"}, world.make_app())


@row("E88", "RF-04")
def _(world: World) -> httpx.Response:
    launched = world.launch()
    assert world.refresh(launched).status_code == 200
    world.settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 0
    return world.refresh(launched)


@row("E89", "RF-01")
def _(world: World) -> httpx.Response:
    return world.refresh(world.launch(), client_id=world.make_app().client_id)


@row("E90", "RF-01")
def _(world: World) -> httpx.Response:
    launched = world.launch()
    return world.refresh(launched, refresh_token=launched["access_token"])


@row("E91", "RF-02")
def _(world: World) -> httpx.Response:
    return world.refresh(world.launch(), scope=f"{OFFLINE} patient/*.cruds")


@row("E92", "SCP-17")
def _(world: World) -> httpx.Response:
    launched = world.launch(scope="launch/patient online_access patient/*.rs")
    Authorization.objects.filter(pk=launched["granted"].authorization.pk).end("signed-out", now=clock.now())
    return world.refresh(launched)


@row("E93", "PR-06")
def _(world: World) -> httpx.Response:
    launched = world.launch(world.make_app(address_policy="block"))
    Authorization.objects.filter(pk=launched["granted"].authorization.pk).update(token_address="203.0.113.9")
    return world.refresh(launched)


@row("E94", "RF-04", case="E88", because="the one that came later was used before")
def _(world: World) -> httpx.Response:
    launched = world.launch()
    world.settings.SMARTAUTH_REFRESH_GRACE_SECONDS = 0
    form = {**REFRESH, "refresh_token": launched["refresh_token"], "client_id": launched["granted"].client.client_id}

    async def both() -> list[httpx.Response]:
        return list(await asyncio.gather(*(world.app._client.post(PATH, data=form) for _ in range(2))))

    answers: list[httpx.Response] = world.app.run(both())
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert won.status_code == 200
    return lost


# A backend service ----------------------------------------------------------------------------------------------------


def as_service(world: World, scope: str, authentication: str = "keys") -> httpx.Response:
    """What a service is answered that may ask for system/Observation.rs."""
    known = {"grants": "client_credentials", "redirect_uris": "", "scope": "system/Observation.rs openid"}
    client = world.make_client(authentication, jwks=jwks(KEY) if authentication == "keys" else "", **known)
    form = {**BACKEND, "scope": scope}
    if authentication == "keys":
        return world.app.post(PATH, data={**form, **assertion_form(KEY.assertion(client.client_id))})
    return world.app.post(PATH, data=form, headers=basic(client.client_id, SECRET))


@row("E95", "BK-01")
def _(world: World) -> httpx.Response:
    return as_service(world, "system/Observation.rs", "secret")


@row("E96", "SCP-06")
def _(world: World) -> httpx.Response:
    return as_service(world, "system/Condition.rs")


@row("E97", ACCEPTED)
def _(world: World) -> httpx.Response:
    answer = as_service(world, "system/Observation.rs system/Condition.rs")
    assert answer.json()["scope"] == "system/Observation.rs"
    return answer


@row("E98", "SCP-06")
def _(world: World) -> httpx.Response:
    return as_service(world, "openid")
