"""Where a token is used from (PR-04, IN-11): the first address told is its own, another meets the policy."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from accounts import clock
from introspection import address_binding
from oauth.models import AccessToken, AddressBlock, AddressChange, Authorization, Client, FhirServer, ResourceServerRole
from smart.http.addresses import PrefixLengths
from tests.conftest import SECRET, App, basic
from tests.fixture_types import Events, MakeClient, MakeResourceServer, SetClock
from tests.introspection.addresses import ELSEWHERE, HOME, OFFLINE, Told, Under, changes, row
from tests.waiting import wait_until

DAY = 86_400_000_000


def uses_are_written(told: Told, later: dict[str, Any]) -> bool:
    """Whether every use so far is noted: they are written in the order in which they came, and this one is the last."""
    told(later["access_token"], HOME)
    return wait_until(lambda: row(later).used_at > 0)


# The first address ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("PR-04", "IN-11")
def test_the_first_address_told_is_the_one_that_the_access_belongs_to(under: Under, told: Told, events: Events) -> None:
    answer = under("block")

    first, again = told(answer["access_token"], HOME), told(answer["access_token"], HOME)

    assert (first["active"], first["__ip_flag"]) == (again["active"], again["__ip_flag"]) == (True, False)
    assert (row(answer).use_address, row(answer).flagged_at) == (HOME, 0)
    assert changes(events, answer) == []


@pytest.mark.requirement("PR-04")
@pytest.mark.parametrize(
    ("first", "then", "active"),
    [
        pytest.param("203.0.113.5", "::ffff:203.0.113.5", True, id="IPv4 mapped into IPv6"),
        pytest.param("::ffff:203.0.113.5", "203.0.113.5", True, id="and back"),
        pytest.param("203.0.113.5", "203.0.113.5:49152", True, id="with a port"),
        pytest.param("203.0.113.5:49152", "203.0.113.6:49152", False, id="with a port, another address"),
        pytest.param("2001:db8::1", "[2001:db8:0:1::1]:49152", False, id="IPv6 with a port"),
        pytest.param("2001:db8::1", "2001:db8:0:0:ffff::2", True, id="the same /64"),
        pytest.param("2001:DB8::1", "2001:db8:0:0::1", True, id="another spelling"),
        pytest.param("2001:db8::1", "2001:db8:0:1::1", False, id="another /64"),
        pytest.param("203.0.113.5", "203.0.113.6", False, id="another IPv4 address"),
        pytest.param("203.0.113.5", "2001:db8::1", False, id="another kind"),
    ],
)
def test_addresses_are_compared_in_one_form_and_ipv6_by_network(
    under: Under, told: Told, first: str, then: str, active: bool
) -> None:
    token = under("block")["access_token"]

    assert told(token, first)["active"] is True
    assert told(token, then)["active"] is active


@pytest.mark.requirement("PR-04", "PR-03")
def test_where_the_code_was_exchanged_is_never_compared_with_where_the_token_is_used(
    app: App, under: Under, told: Told, settings: Any
) -> None:
    settings.SMARTAUTH_TRUSTED_PROXIES = 1
    answer = under("block", scope=OFFLINE)
    assert row(answer).token_address == "192.0.2.7"
    assert told(answer["access_token"], HOME)["active"] is True
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}

    refreshed = app.post("/o/token", data={**form, "client_id": answer["granted"].client.client_id})

    assert refreshed.status_code == 200
    assert (row(answer).token_address, row(answer).use_address) == ("192.0.2.7", HOME)


@pytest.mark.requirement("PR-04")
def test_the_next_token_inherits_the_address_through_a_refresh(app: App, under: Under, told: Told) -> None:
    answer = under("block", scope=OFFLINE)
    told(answer["access_token"], HOME)
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    token = app.post("/o/token", data={**form, "client_id": answer["granted"].client.client_id}).json()["access_token"]

    assert told(token, ELSEWHERE) == {"active": False}
    assert told(token, HOME)["active"] is True


@pytest.mark.requirement("PR-04", "PR-06")
def test_of_two_first_uses_at_once_the_one_that_is_written_first_binds_the_other(
    under: Under, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, bind_or_read = under("block"), address_binding._bind_or_read

    def bind_second(use: address_binding.Use) -> str:
        Authorization.objects.filter(pk=use.found.authorization).update(use_address=HOME)
        return bind_or_read(use)

    monkeypatch.setattr(address_binding, "_bind_or_read", bind_second)

    assert told(answer["access_token"], ELSEWHERE) == {"active": False}
    assert row(answer).use_address == HOME


# What another address meets ------------------------------------------------------------------------------------------


@pytest.mark.requirement("PR-06", "PR-03", "TV-25")
def test_under_flag_the_token_works_on_and_everybody_is_told(under: Under, told: Told, events: Events) -> None:
    answer = under("flag")
    told(answer["access_token"], HOME)

    elsewhere = told(answer["access_token"], ELSEWHERE)

    assert (elsewhere["active"], elsewhere["__ip_flag"]) == (True, True)
    assert told(answer["access_token"], HOME)["__ip_flag"] is True
    (event,) = changes(events, answer)
    assert event.address == ELSEWHERE
    assert HOME in event.reason
    assert event.authorization == str(row(answer))
    assert event.token == str(AccessToken.objects.get(authorization=row(answer)))
    assert row(answer).flagged_at > 0
    assert row(answer).use_address == HOME
    assert not AddressBlock.objects.filter(client=answer["granted"].client).exists()


@pytest.mark.requirement("PR-06", "SD-06", "TV-25")
def test_under_block_the_new_address_hears_nothing_and_the_first_keeps_working(
    under: Under, told: Told, events: Events
) -> None:
    answer = under("block")
    told(answer["access_token"], HOME)
    before = clock.now()

    assert told(answer["access_token"], ELSEWHERE) == {"active": False}

    assert told(answer["access_token"], HOME)["active"] is True
    (event,) = changes(events, answer)
    assert (event.address, event.person) == (ELSEWHERE, answer["granted"].person.subject)
    block = AddressBlock.objects.get(client=answer["granted"].client)
    assert (block.user, block.address) == (answer["granted"].person, ELSEWHERE)
    assert before <= block.blocked_at <= clock.now()
    assert row(answer).ended_at == 0


@pytest.mark.requirement("PR-04")
def test_how_much_of_an_address_counts_is_a_setting(under: Under, told: Told, settings: Any) -> None:
    settings.SMARTAUTH_ADDRESS_PREFIXES = PrefixLengths(ipv4=24)
    answer = under("block")
    told(answer["access_token"], "198.51.100.7")

    assert told(answer["access_token"], "198.51.100.200")["active"] is True
    assert told(answer["access_token"], "198.51.101.7") == {"active": False}


@pytest.mark.requirement("PR-06", "SD-06")
def test_under_end_everything_that_the_access_gave_is_over(app: App, under: Under, told: Told, events: Events) -> None:
    answer = under("end", scope=OFFLINE)
    told(answer["access_token"], HOME)

    assert told(answer["access_token"], ELSEWHERE) == {"active": False}

    assert told(answer["access_token"], HOME) == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
    refused = app.post("/o/token", data={**form, "client_id": answer["granted"].client.client_id})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert row(answer).ended_for == "address-changed"
    assert len(events("authorization-ended", authorization=str(row(answer)))) == 1
    assert AddressBlock.objects.filter(client=answer["granted"].client).count() == 1


@pytest.mark.requirement("PR-03")
@pytest.mark.parametrize(
    ("server", "client", "active", "flag"),
    [
        ("off", "off", True, None),
        ("flag", "off", True, True),
        ("off", "flag", True, True),
        ("block", "flag", False, None),
        ("off", "block", False, None),
    ],
)
def test_the_stricter_policy_of_fhir_server_and_client_holds(
    under: Under, told: Told, make_fhir_server: Any, trusted: Any, server: str, client: str, active: bool,
    flag: bool | None, events: Events,
) -> None:  # fmt: skip
    base = make_fhir_server(server)
    ResourceServerRole.objects.create(client=trusted, fhir_server=base, tells_addresses=1)
    answer = under(client, server=base)
    told(answer["access_token"], HOME)

    elsewhere = told(answer["access_token"], ELSEWHERE)

    assert (elsewhere["active"], elsewhere.get("__ip_flag")) == (active, flag)
    assert len(changes(events, answer)) == (0 if (server, client) == ("off", "off") else 1)


@pytest.fixture
def make_fhir_server(committed: None) -> Callable[[str], Any]:
    """A protected base of its own with this address policy."""

    def make(policy: str) -> Any:
        base = f"https://{secrets.token_hex(8)}.example.org/fhir"
        return FhirServer.objects.create(base=base, name="Hill Clinic", address_policy=policy)

    return make


@pytest.mark.requirement("PR-03")
def test_where_nothing_is_compared_no_address_is_bound(
    under: Under, told: Told, make_fhir_server: Any, trusted: Any
) -> None:
    base = make_fhir_server("off")
    ResourceServerRole.objects.create(client=trusted, fhir_server=base, tells_addresses=1)
    answer = under("off", server=base)

    assert "__ip_flag" not in told(answer["access_token"], HOME)

    assert row(answer).use_address is None


def test_a_backend_service_is_stopped_like_anybody_but_nobody_is_asked_to_log_in(
    under: Under, told: Told, events: Events
) -> None:
    answer = under("block")
    Authorization.objects.filter(pk=row(answer).pk).update(user=None)
    told(answer["access_token"], HOME)

    assert told(answer["access_token"], ELSEWHERE) == {"active": False}

    assert len(changes(events, answer)) == 1
    assert not AddressBlock.objects.filter(client=answer["granted"].client).exists()


# One event, whatever comes --------------------------------------------------------------------------------------------


@pytest.mark.requirement("PR-06")
@pytest.mark.parametrize("policy", ["flag", "block"])
def test_many_uses_at_one_address_are_one_event_and_another_address_is_one_more(
    under: Under, told: Told, events: Events, policy: str
) -> None:
    answer = under(policy)
    told(answer["access_token"], HOME)

    for address in [ELSEWHERE, "192.0.2.200", HOME] * 4:
        address_binding._recorded.clear()  # as if each came to another process
        told(answer["access_token"], address)

    assert sorted(event.address for event in changes(events, answer)) == ["192.0.2.200", ELSEWHERE]


@pytest.mark.requirement("PR-06")
def test_a_minute_later_this_process_looks_again(under: Under, told: Told, events: Events, set_clock: SetClock) -> None:
    answer, now = under("flag"), clock.now()
    counts: list[int] = []

    for moment in (now, now, now + address_binding.RECORDED_EVERY - 1, now + address_binding.RECORDED_EVERY):
        set_clock(moment)
        told(answer["access_token"], ELSEWHERE if counts else HOME)
        counts.append(len(changes(events, answer)))
        AddressChange.objects.filter(authorization=row(answer)).delete()

    assert counts == [0, 1, 1, 2]


@pytest.mark.requirement("PR-06")
def test_what_a_process_remembers_of_other_addresses_is_bounded(
    under: Under, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = under("flag")["access_token"]
    monkeypatch.setattr(address_binding, "MOST_RECORDED", 2)
    monkeypatch.setattr(address_binding, "_recorded", {})
    counts: list[int] = []

    for address in (HOME, ELSEWHERE, "192.0.2.200", "192.0.2.201"):
        told(token, address)
        counts.append(len(address_binding._recorded))

    assert counts == [0, 1, 2, 1]


@pytest.mark.requirement("PR-06", "HI-08")
def test_another_address_whose_event_cannot_be_written_is_not_noted_and_the_next_use_is(
    app: App, under: Under, told: Told, trusted: Any, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = under("flag")
    told(answer["access_token"], HOME)

    def failing(*_: object) -> None:
        raise RuntimeError("broken on the way")

    with monkeypatch.context() as broken:
        broken.setattr("oauth.tokens.address_binding.record_events", failing)
        form = {"token": answer["access_token"], "__client_ip": ELSEWHERE}
        failed = app.post("/o/introspect", data=form, headers=basic(trusted.client_id, SECRET))
    noted = AddressChange.objects.filter(authorization=row(answer)).exists()

    assert (failed.status_code, noted, row(answer).flagged_at) == (500, False, 0)
    assert told(answer["access_token"], ELSEWHERE)["__ip_flag"] is True
    assert len(changes(events, answer)) == 1


@pytest.mark.requirement("PR-06")
def test_a_day_later_it_is_told_again(under: Under, told: Told, events: Events) -> None:
    answer = under("flag")
    told(answer["access_token"], HOME)
    told(answer["access_token"], ELSEWHERE)
    AddressChange.objects.filter(authorization=row(answer)).update(noted_at=clock.now() - DAY)
    address_binding._recorded.clear()

    told(answer["access_token"], ELSEWHERE)

    assert len(changes(events, answer)) == 2


def test_what_an_operator_has_looked_at_is_not_flagged_any_more(under: Under, told: Told) -> None:
    answer = under("flag")
    told(answer["access_token"], HOME)
    told(answer["access_token"], ELSEWHERE)

    Authorization.objects.filter(pk=row(answer).pk).update(flagged_at=0)

    assert told(answer["access_token"], HOME)["__ip_flag"] is False


# The last use ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("RV-05")
def test_a_use_is_noted_once_a_minute_with_where_it_was(under: Under, told: Told) -> None:
    answer, before = under("flag"), clock.now()
    told(answer["access_token"], HOME)
    assert wait_until(lambda: row(answer).used_at > 0)
    noted = row(answer)
    told(answer["access_token"], ELSEWHERE)
    assert uses_are_written(told, under("flag"))
    within_the_minute = row(answer)
    Authorization.objects.filter(pk=noted.pk).update(used_at=noted.used_at - 61_000_000)

    told(answer["access_token"], ELSEWHERE)

    assert before <= noted.used_at <= clock.now()
    assert noted.used_from == HOME
    assert (within_the_minute.used_at, within_the_minute.used_from) == (noted.used_at, HOME)
    assert wait_until(lambda: row(answer).used_from == ELSEWHERE)
    assert row(answer).used_at > noted.used_at


def test_a_use_is_noted_without_where_if_nobody_believed_tells(
    under: Under, told: Told, make_resource_server: MakeResourceServer
) -> None:
    answer = under("flag")

    told(answer["access_token"], HOME, make_resource_server())

    assert wait_until(lambda: row(answer).used_at > 0)
    assert row(answer).used_from == ""


@pytest.mark.parametrize("end", ["blocked", "revoked", "asked by a stranger"])
def test_what_is_not_let_in_is_no_use(app: App, under: Under, told: Told, make_client: MakeClient, end: str) -> None:
    answer = under("block")
    token = answer["access_token"]
    Authorization.objects.filter(pk=row(answer).pk).update(use_address=HOME)
    if end == "revoked":
        app.post("/o/revoke", data={"token": token, "client_id": answer["granted"].client.client_id})
    caller = make_client("secret") if end == "asked by a stranger" else None

    assert told(token, ELSEWHERE, caller) == {"active": False}

    assert uses_are_written(told, under("flag"))
    assert row(answer).used_at == 0


def test_a_client_that_is_disabled_is_told_so_before_its_address_is_looked_at(
    under: Under, told: Told, events: Events
) -> None:
    answer = under("block")
    told(answer["access_token"], HOME)
    Client.objects.filter(pk=answer["granted"].client.pk).disable()

    assert told(answer["access_token"], ELSEWHERE) == {"active": False}

    assert changes(events, answer) == []
