"""Bad requests at introspection, revocation, userinfo, logout and discovery (E104 to E114, E124 to E131)."""

import httpx
from django.db import OperationalError

from accounts import clock
from oauth.models import AccessToken
from tests.conftest import basic
from tests.oauth.explain.rows.row import ACCEPTED, Rows, World, add_to

OTHERS: Rows = {}
row = add_to(OTHERS)

INTROSPECT, REVOKE, USERINFO = "/o/introspect", "/o/revoke", "/o/userinfo"
DISCOVERY = "/.well-known/openid-configuration"
INTROSPECTION_SCOPE = "__smartauth.introspect"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@row("E104", "LV-01")
def _(world: World) -> httpx.Response:
    return world.app.post(INTROSPECT, data={"token": "x"}, headers=bearer("garbage"))


@row("E105", "IN-07")
def _(world: World) -> httpx.Response:
    token = world.issue()["access_token"]
    return world.app.post(INTROSPECT, data={"token": token}, headers=bearer(token))


@row("E106", "IN-01")
def _(world: World) -> httpx.Response:
    return world.post(INTROSPECT, {"token_type_hint": "access_token"}, world.make_resource_server())


@row("E107", "LV-01")
def _(world: World) -> httpx.Response:
    return world.post(INTROSPECT, {"token": "garbage"}, world.make_resource_server())


@row("E108", "LV-10")
def _(world: World) -> httpx.Response:
    caller = world.issue(scope=INTROSPECTION_SCOPE)
    own = AccessToken.objects.filter(authorization=caller["granted"].authorization)
    own.update(expires_at=clock.now())
    return world.app.post(INTROSPECT, data={"token": "x"}, headers=bearer(caller["access_token"]))


@row("E109", ACCEPTED)
def _(world: World) -> httpx.Response:
    return world.post(REVOKE, {"token": "garbage", "token_type_hint": "unknown"}, world.make_client())


@row("E110", "RV-01")
def _(world: World) -> httpx.Response:
    return world.post(REVOKE, {}, world.make_client())


@row("E111", "CL-02", case="E52", because="a client proves itself by the same rules at every endpoint")
def _(world: World) -> httpx.Response:
    wrong = basic(world.make_client("secret").client_id, "wrong")
    return world.app.post(REVOKE, data={"token": "x"}, headers=wrong)


@row("E112", "RV-03")
def _(world: World) -> httpx.Response:
    return world.post(REVOKE, {"token": world.issue()["access_token"]}, world.make_client())


@row("E113", "RV-01")
def _(world: World) -> httpx.Response:
    told = world.issue(world.make_client("secret"), scope="openid patient/*.rs")
    return world.post(REVOKE, {"token": told["id_token"]}, told["granted"].client)


@row("E114", "E114")
def _(world: World) -> httpx.Response:
    def fail(*_: object) -> None:
        raise OperationalError("the database is away")

    world.monkeypatch.setattr("introspection.revoke.write_as_client", fail)
    return world.post(REVOKE, {"token": "x"}, world.make_client())


@row("E124", "AT-05")
def _(world: World) -> httpx.Response:
    return world.app.get(USERINFO)


@row("E125", "LV-01")
def _(world: World) -> httpx.Response:
    return world.app.get(USERINFO, headers=bearer("garbage"))


@row("E126", "ID-05")
def _(world: World) -> httpx.Response:
    return world.app.get(USERINFO, headers=bearer(world.issue()["access_token"]))


@row("E127", "AT-05", case="E124", because="a token in the address is not looked at, so none was sent")
def _(world: World) -> httpx.Response:
    return world.app.get(f"{USERINFO}?access_token={world.issue(scope='openid')['access_token']}")


@row("E128", "AT-05")
def _(world: World) -> httpx.Response:
    token = world.issue(scope="openid")["access_token"]
    return world.app.post(USERINFO, data={"access_token": token}, headers=bearer(token))


@row("E129", "ID-06")
def _(world: World) -> httpx.Response:
    left = f"/o/logout?client_id={world.make_client().client_id}&post_logout_redirect_uri=https://evil.example/"
    return world.visitor.follow(world.visitor.request("GET", left))


@row("E130", "DS-23")
def _(world: World) -> httpx.Response:
    return world.app.post(DISCOVERY)


@row("E131", "SB-08")
def _(world: World) -> httpx.Response:
    return world.app.get(DISCOVERY, headers={"Host": "evil.example"})
