"""Registering clients by kind, secrets shown once and rotated with an overlap, keys by paste and by URL."""

import json
import re
from typing import Any, Protocol

import pytest

from tests.fixture_types import Events, MakeClient
from tests.operators.admin.conftest import Operator, hidden, secret_on
from tests.operators.admin.jwks_server import JwksServer

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

EC = {
    "kty": "EC", "crv": "P-384", "kid": "one", "alg": "ES384", "use": "sig",
    "x": "OLmCygNjjEl8PpYRs9Swm9RqTr6ScPkp0nJrDzy4wHNQpTXWarbyjbJnd8Xax5Tf",
    "y": "b1n2ptPUUEbt3rYlEmdbEZVrdT1NRcRoVvGaqU61ottpNI8U-lxBkJTq3WFDmP15",
}  # fmt: skip
KEYS = json.dumps({"keys": [EC]})


class Form(Protocol):
    def __call__(self, kind: str, **changes: Any) -> dict[str, Any]: ...


@pytest.fixture
def form(operator: Operator, fhir_server: Any) -> Form:
    """A form for a new client, filled in well, with changes."""

    def fill(kind: str, **changes: Any) -> dict[str, Any]:
        known = {
            "name": "Growth Chart", "maker": "Little Steps", "fhir_servers": [fhir_server.pk],
            "supersede": "user-client", "tokens_to_keep": "1", "address_policy": "flag", "access_token_seconds": "",
            "number": hidden(operator.get("oauth/client/add/", kind=kind), "number"),
        }  # fmt: skip
        app = {
            "redirect_uris": "https://app.example.org/cb\r\nhttps://app.example.org/other",
            "application_type": "web", "scope": "patient/*.rs", "allowed_origins": "", "launch_urls": "",
        }  # fmt: skip
        by_kind = {
            "public": app, "secret": app, "keys": {**app, "jwks": KEYS, "jwks_uri": ""},
            "backend": {"scope": "system/*.rs", "jwks": KEYS, "jwks_uri": ""},
            "backend-secret": {"scope": "system/*.rs", "backend_by_secret": "on"},
            "resource-server": {
                "protects-TOTAL_FORMS": "1", "protects-INITIAL_FORMS": "0", "protects-0-fhir_server": fhir_server.pk,
                "protects-0-tells_addresses": "on",
            },
        }  # fmt: skip
        return {**known, **by_kind[kind], **changes}

    return fill


def add(operator: Operator, kind: str, filled: dict[str, Any]) -> Any:
    return operator.browser.post(f"/admin/oauth/client/add/?kind={kind}", filled)


def made(operator: Operator) -> Any:
    from oauth.models import Client

    return operator.made(Client).last()


def errors(page: Any) -> list[str]:
    assert page.status_code == 200
    found = re.findall(r'<ul class="errorlist[^"]*"[^>]*>(.*?)</ul>', page.content.decode(), re.S)
    return [text for one in found for text in re.findall(r"<li>(.*?)</li>", one, re.S)]


def test_the_first_question_is_which_kind(operator: Operator) -> None:
    page = operator.get("oauth/client/add/").content.decode()

    for kind in ("public", "secret", "keys", "backend", "backend-secret", "resource-server"):
        assert f'href="?kind={kind}"' in page


@pytest.mark.parametrize(
    ("kind", "authentication", "grants"),
    [
        ("public", "none", "authorization_code"),
        ("secret", "secret", "authorization_code"),
        ("keys", "keys", "authorization_code"),
        ("backend", "keys", "client_credentials"),
        ("backend-secret", "secret", "client_credentials"),
        ("resource-server", "secret", ""),
    ],
)
@pytest.mark.requirement("RG-09")
def test_a_client_of_each_kind_is_registered(
    operator: Operator, form: Form, kind: str, authentication: str, grants: str
) -> None:
    answer = add(operator, kind, form(kind))

    client = made(operator)
    assert answer.status_code in {200, 302}, errors(answer)
    assert (client.authentication, client.grants, client.name) == (authentication, grants, "Growth Chart")
    assert bool(secret_on(answer)) is (authentication == "secret") is bool(client.secret_digest)
    assert operator.get(f"oauth/client/{client.pk}/change/").status_code == 200


@pytest.mark.requirement("RG-09")
def test_the_list_finds_every_client_under_the_kind_of_its_form_and_no_other(
    operator: Operator, make_client: MakeClient
) -> None:
    from operators.admin.client_kinds import KINDS, kind_of

    grants = ("", "authorization_code", "authorization_code refresh_token", "client_credentials",
              "authorization_code client_credentials")  # fmt: skip
    clients = [make_client(proof, grants=some) for proof in ("none", "secret", "keys") for some in grants]
    pages = {kind.name: operator.get("oauth/client/", kind=kind.name).content.decode() for kind in KINDS}

    listed = [[name for name, page in pages.items() if client.client_id in page] for client in clients]

    assert listed == [[kind_of(client).name] for client in clients]


@pytest.mark.requirement("BK-07")
@pytest.mark.parametrize("kind", ["backend", "backend-secret"])
def test_the_form_of_a_service_says_how_many_tokens_its_workers_need(operator: Operator, kind: str) -> None:
    page = operator.get("oauth/client/add/", kind=kind).content.decode()

    assert "Raise it to the number of workers that ask for tokens in parallel." in page
    assert "Raise it to the number" not in operator.get("oauth/client/add/", kind="public").content.decode()


@pytest.mark.requirement("RG-09", "BK-03")
def test_a_service_is_bound_to_the_patient_that_its_patient_scopes_are_about(operator: Operator, form: Form) -> None:
    unbound = add(operator, "backend", form("backend", scope="patient/*.rs"))
    not_an_id = add(operator, "backend", form("backend", scope="patient/*.rs", backend_patient="Patient/amy"))
    add(operator, "backend", form("backend", scope="patient/*.rs", backend_patient="amy", tokens_to_keep="4"))

    client = made(operator)
    assert any("which patient is it about" in error for error in errors(unbound))
    assert errors(not_an_id)
    assert (client.scope, client.backend_patient, client.tokens_to_keep) == ("patient/*.rs", "amy", 4)


@pytest.mark.requirement("SCP-19", "BK-03")
@pytest.mark.parametrize("scope", ["user/*.rs", "openid", "launch", "offline_access"])
def test_a_service_is_registered_for_no_scope_of_people(operator: Operator, form: Form, scope: str) -> None:
    assert errors(add(operator, "backend", form("backend", scope=f"system/*.rs {scope}")))


@pytest.mark.requirement("E95")
def test_a_secret_service_is_listed_as_loose_and_its_switch_can_be_seen(operator: Operator, form: Form) -> None:
    add(operator, "backend-secret", form("backend-secret"))
    client = made(operator)

    listed = operator.get("oauth/client/", state="loose").content.decode()

    assert client.backend_by_secret == 1
    assert client.client_id in listed
    assert "asks for itself by a secret" in listed
    assert 'name="backend_by_secret"' in operator.get(f"oauth/client/{client.pk}/change/").content.decode()
    assert 'name="backend_by_secret"' not in operator.get("oauth/client/add/", kind="secret").content.decode()


@pytest.mark.requirement("RG-07")
def test_the_client_id_is_drawn_here_whatever_the_form_says(operator: Operator, form: Form) -> None:
    from oauth.models import Client

    add(operator, "public", form("public", client_id="chosen-by-somebody"))
    answer = add(operator, "public", form("public", number="chosen-by-somebody"))

    assert Client.of("chosen-by-somebody") is None
    assert "not one of ours" in answer.content.decode()


@pytest.mark.requirement("RG-08")
def test_the_secret_is_shown_in_the_answer_and_works(operator: Operator, form: Form, fhir_server: Any) -> None:
    from oauth.clients.secrets import client_secret_digest

    filled = form("secret")
    answer = add(operator, "secret", filled)

    secret, client = secret_on(answer), made(operator)
    assert len(secret) >= 43
    assert client_secret_digest(client.client_id, secret) == client.secret_digest
    assert "no-store" in answer["Cache-Control"]
    assert secret not in operator.get(f"oauth/client/{client.pk}/change/").content.decode()
    assert secret not in operator.get("oauth/client/").content.decode()


def test_a_repeated_form_makes_one_client(operator: Operator, form: Form) -> None:
    from oauth.models import Client

    filled = form("secret")
    add(operator, "secret", filled)

    again = add(operator, "secret", filled)

    assert operator.made(Client).count() == 1
    assert not secret_on(again)
    assert "made already" in again.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("redirect_uris", "https://app.example.org/cb\nhttps://app.example.org/*", "wildcard"),
        ("redirect_uris", "http://app.example.org/cb", "http is allowed on loopback"),
        ("redirect_uris", "javascript:alert(1)", "javascript:alert(1): "),
        ("redirect_uris", "https://app.example.org/cb#x", "fragment"),
        ("redirect_uris", "https://user@app.example.org/cb", "user name"),
        ("redirect_uris", "", "at least one"),
        ("post_logout_redirect_uris", "https://app.example.org/#x", "a fragment is not allowed"),
        ("launch_urls", "ftp://app.example.org", "ftp://app.example.org: "),
        ("allowed_origins", "https://app.example.org/path", "without a path"),
        ("scope", "patient/*.rs system/*.rs", "system/*.rs: only a backend service"),
        ("scope", "patient/*.rs nonsense", "nonsense: we know no such scope"),
        ("access_token_seconds", "100000", "from 0 to 3600"),
        ("tokens_to_keep", "0", "from 1 to 1000"),
        ("name", "Good\u202eppA", "direction of text"),
    ],
)
@pytest.mark.requirement("RG-01", "RG-02")
def test_what_may_not_be_registered_is_said_beside_its_field(
    operator: Operator, form: Form, field: str, value: str, said: str
) -> None:
    from oauth.models import Client

    filled = form("public", **{field: value})

    answer = add(operator, "public", filled)

    assert any(said in error for error in errors(answer)), errors(answer)
    assert not operator.made(Client).exists()


def test_each_bad_redirect_uri_has_a_message_of_its_own(operator: Operator, form: Form) -> None:
    filled = form("public", redirect_uris="http://one.example.org/\nhttps://good.example.org/\nftp://two.example.org/")

    said = errors(add(operator, "public", filled))

    assert [error.split(": ")[0] for error in said] == ["http://one.example.org/", "ftp://two.example.org/"]


@pytest.mark.parametrize(
    "change", [{"d": "secret"}, {"kty": "oct", "k": "secret"}, {"kid": ""}, {"x": ""}, {"crv": "x"}]
)
@pytest.mark.requirement("RG-04")
def test_private_shared_or_broken_keys_are_refused(operator: Operator, form: Form, change: dict[str, str]) -> None:
    answer = add(operator, "keys", form("keys", jwks=json.dumps({"keys": [{**EC, **change}]})))

    assert errors(answer)
    assert "shown once" not in answer.content.decode()


@pytest.mark.parametrize(("jwks", "jwks_uri"), [("", ""), (KEYS, "https://app.example.org/jwks")])
@pytest.mark.requirement("RG-03")
def test_a_client_has_one_source_of_keys(operator: Operator, form: Form, jwks: str, jwks_uri: str) -> None:
    answer = add(operator, "keys", form("keys", jwks=jwks, jwks_uri=jwks_uri))

    assert any("either pasted or by URL" in error for error in errors(answer))


@pytest.mark.parametrize(
    "address",
    ["http://app.example.org/jwks", "https://user@app.example.org/jwks", "https://", "https://app.example.org/#x", "x"],
)
@pytest.mark.requirement("RG-06")
def test_keys_by_url_need_https(operator: Operator, form: Form, address: str) -> None:
    assert errors(add(operator, "keys", form("keys", jwks="", jwks_uri=address)))


def test_changing_a_client_is_in_the_trail_with_the_operator_and_without_values(
    operator: Operator, make_client: MakeClient, events: Events, fhir_server: Any
) -> None:
    client = make_client(scope="patient/*.rs")

    answer = operator.post(f"oauth/client/{client.pk}/change/", {
        "name": "Another Name", "maker": "", "redirect_uris": client.redirect_uris, "application_type": "web",
        "scope": "patient/*.rs", "fhir_servers": [fhir_server.pk], "supersede": "user-client", "tokens_to_keep": "2",
        "address_policy": "off", "may_stay": "on", "allows_missing_state": "on",
    })  # fmt: skip

    client.refresh_from_db()
    assert answer.status_code == 302, errors(answer)
    assert (client.name, client.tokens_to_keep, client.allows_missing_state) == ("Another Name", 2, 1)
    assert client.grants == "authorization_code refresh_token"
    (event,) = events("operator-changed", client=client.client_id)
    assert event.operator == operator.user.subject
    assert "Another" not in event.reason
    assert "allows missing state" in operator.get("oauth/client/").content.decode()


def test_everything_that_is_configured_of_a_client_is_in_the_form_of_some_kind() -> None:
    from oauth.models import Client
    from operators.admin.client_kinds import KINDS

    decided_elsewhere = {
        "authentication", "grants", "enabled", "approved", "client_id", "protects", "id",
        "user", "skip_authorization", "created", "updated", "algorithm", "post_logout_redirect_uris",
    }  # fmt: skip
    asked = {name for kind in KINDS for name in kind.fields()}

    configured = {field.name for field in Client._meta.get_fields() if getattr(field, "editable", False)}

    from_dot = {
        name for name in configured if name.startswith(("cimd_", "registration_", "backchannel", "frontchannel"))
    }
    assert configured - asked - decided_elsewhere - from_dot == set()


# Rotation -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RG-08")
def test_a_rotated_secret_is_shown_once_and_the_old_one_works_for_a_while(
    operator: Operator, make_client: MakeClient, events: Events
) -> None:
    from accounts import clock
    from oauth.clients.secrets import client_secret_digest
    from tests.conftest import SECRET

    client = make_client("secret")
    asked = operator.act("oauth/client", "rotate", client)

    answer = operator.confirm("oauth/client", "rotate", client, number=hidden(asked, "number"))

    secret = secret_on(answer)
    client.refresh_from_db()
    assert client.secret_digest == client_secret_digest(client.client_id, secret)
    assert client.old_secret_digest == client_secret_digest(client.client_id, SECRET)
    assert 23 * 3600 < (client.old_secret_until - clock.now()) / 1e6 <= 24 * 3600
    assert "no-store" in answer["Cache-Control"]
    assert "The old secret works until" in answer.content.decode()
    assert len(events("secret-rotated", client=client.client_id, operator=operator.user.subject)) == 1


def test_repeating_the_rotation_rotates_nothing_and_shows_no_secret(
    operator: Operator, make_client: MakeClient
) -> None:
    client = make_client("secret")
    number = hidden(operator.act("oauth/client", "rotate", client), "number")
    operator.confirm("oauth/client", "rotate", client, number=number)
    client.refresh_from_db()
    before = client.secret_digest

    again = operator.confirm("oauth/client", "rotate", client, number=number)

    client.refresh_from_db()
    assert client.secret_digest == before
    assert (again.status_code, secret_on(again)) == (302, "")


def test_the_first_click_on_rotate_changes_nothing(operator: Operator, make_client: MakeClient) -> None:
    client = make_client("secret")
    before = client.secret_digest

    asked = operator.act("oauth/client", "rotate", client).content.decode()

    client.refresh_from_db()
    assert client.secret_digest == before
    assert "A new secret is drawn and shown once." in asked


@pytest.mark.parametrize("authentication", ["none", "keys"])
def test_a_client_without_a_secret_has_nothing_to_rotate(
    operator: Operator, make_client: MakeClient, authentication: str
) -> None:
    client = make_client(authentication)

    answer = operator.confirm("oauth/client", "rotate", client, number="x")

    client.refresh_from_db()
    assert (answer.status_code, client.secret_digest) == (302, "")


# Keys by URL --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/good", "All of these may sign"),
        ("/private", "holds a private or shared key"),
        ("/html", "It is not JSON"),
        ("/moved", "It answered 302 instead of 200"),
        ("/long", "It is longer than 262144 bytes"),
        ("/missing", "It answered 404"),
    ],
)
@pytest.mark.requirement("RG-04")
def test_the_button_fetches_and_checks_the_keys(
    operator: Operator, make_client: MakeClient, jwks_server: JwksServer, path: str, said: str
) -> None:
    client = make_client("keys", jwks_uri=f"{jwks_server.url}{path}")

    answer = operator.post(f"oauth/client/{client.pk}/keys/", {})

    assert said in answer.content.decode()


def test_keys_at_hosts_that_are_not_public_are_not_asked_for_outside_development(
    operator: Operator, make_client: MakeClient, jwks_server: JwksServer, settings: Any
) -> None:
    settings.SMARTAUTH_DEV = False
    client = make_client("keys", jwks_uri=jwks_server.url.replace("http://127.0.0.1", "https://localhost"))

    answer = operator.post(f"oauth/client/{client.pk}/keys/", {})

    assert "not public" in answer.content.decode()
    assert jwks_server.asked == []


def test_keys_are_fetched_by_post_only(operator: Operator, make_client: MakeClient) -> None:
    client = make_client("keys", jwks_uri="https://app.example.org/jwks")

    assert operator.get(f"oauth/client/{client.pk}/keys/").status_code == 403


def test_plain_openid_connect_is_a_choice_that_can_be_seen(operator: Operator, form: Form) -> None:
    page = operator.get("oauth/client/add/", kind="secret").content.decode()
    refused = add(operator, "secret", form("secret", profile="openid", scope="openid patient/*.rs"))
    taken = add(operator, "secret", form("secret", profile="openid", scope="openid profile email"))

    assert "plain OpenID Connect: PKCE and aud may be missing" in page
    assert "patient/*.rs: is never granted to plain OpenID Connect." in errors(refused)
    assert taken.status_code in (200, 302)
    assert (made(operator).profile, made(operator).scope) == ("openid", "openid profile email")


@pytest.mark.requirement("RG-05")
def test_an_operator_is_reminded_to_paste_new_keys_and_the_change_is_recorded(
    operator: Operator, make_client: MakeClient, form: Form, events: Events
) -> None:
    client = make_client("keys", jwks=KEYS)
    other = json.dumps({"keys": [{**EC, "kid": "two"}]})

    page = operator.get(f"oauth/client/{client.pk}/change/").content.decode()
    changed = operator.post(f"oauth/client/{client.pk}/change/", form("keys", jwks=other, profile="smart"))

    assert "<code>one</code>" in page
    assert "Paste the new set here when the client changes its keys." in page
    assert changed.status_code == 302, errors(changed)
    (event,) = events("operator-changed", client=client.client_id)
    assert event.operator == operator.user.subject
    client.refresh_from_db()
    assert "two" in client.jwks


@pytest.mark.requirement("RV-08", "RV-09")
def test_a_form_that_is_saved_meanwhile_undoes_no_ending_of_a_client(
    operator: Operator, make_client: MakeClient, fhir_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from oauth.models import Client
    from operators.admin.client_form import ClientForm

    client = make_client(scope="patient/*.rs")

    def ended_meanwhile(form: Any) -> str:
        Client.objects.filter(pk=client.pk).disable()
        return str(form.cleaned_data["scope"])

    monkeypatch.setattr(ClientForm, "clean_scope", ended_meanwhile, raising=False)
    answer = operator.post(f"oauth/client/{client.pk}/change/", {
        "name": "Another Name", "redirect_uris": client.redirect_uris, "application_type": "web",
        "scope": "patient/*.rs", "fhir_servers": [fhir_server.pk], "supersede": "user-client", "tokens_to_keep": "2",
        "address_policy": "off", "profile": "smart",
    })  # fmt: skip

    client.refresh_from_db()
    assert (answer.status_code, client.name) == (302, "Another Name")
    assert (client.epoch, client.enabled) == (1, 0)
