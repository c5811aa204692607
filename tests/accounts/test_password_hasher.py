"""Password hashes: two at once in a process, few that wait, and a clear answer to all others."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from accounts import clock, password_hasher
from accounts.login import attempt
from accounts.models import RateCount
from accounts.name_failures import _group
from accounts.password_hasher import BoundedArgon2, TooManyHashes, hashing_for
from accounts.rate_limit import _key
from audit.models import OutboxEvent
from tests.conftest import App
from tests.fixture_types import MakePerson
from tests.oauth.visitor import Visitor
from tests.waiting import wait_until


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both places are taken, and nobody waits for long."""
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 0.05)
    with ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(password_hasher._turn())
        yield


@contextmanager
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is a failure to ask meanwhile how long one may wait."""
    with monkeypatch.context() as patch:
        patch.setattr(password_hasher, "_left", lambda deadline: pytest.fail("it waits"))
        yield


@pytest.mark.usefixtures("busy", "committed")
def test_a_try_while_both_places_are_taken_is_busy_and_counts_for_nothing() -> None:
    tried = attempt("somebody", "smartauth-demo", "192.0.2.34", now=clock.now())

    assert (tried.result, tried.wait, tried.counts) == ("busy", 5, False)


def test_at_most_two_are_made_at_once() -> None:
    at_once, most, lock, go = [0], [0], threading.Lock(), threading.Barrier(4)

    class Watched(BoundedArgon2):
        def params(self) -> object:
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            try:
                return super().params()
            finally:
                threading.Event().wait(0.02)
                with lock:
                    at_once[0] -= 1

    def make() -> None:
        go.wait(10)
        Watched().encode("password", "some-salt-of-16-")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert most[0] == 2


def test_a_caller_that_comes_when_enough_wait_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 20.0)
    monkeypatch.setattr(password_hasher, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(password_hasher, "_outside", threading.BoundedSemaphore(0))

    with password_hasher._turn(), nobody_waits(monkeypatch), pytest.raises(TooManyHashes):
        BoundedArgon2().verify("password", "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g")


@pytest.mark.requirement("SD-20")
def test_a_caller_that_finds_no_place_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 20.0)
    monkeypatch.setattr(password_hasher, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(password_hasher, "_outside", threading.BoundedSemaphore(1))
    made: list[str] = []

    def make() -> None:
        with hashing_for("192.0.2.2"):
            made.append(BoundedArgon2().encode("password", "some-salt-of-16-"))

    waiting = threading.Thread(target=make)
    with hashing_for("192.0.2.1"), password_hasher._turn():
        waiting.start()
        assert wait_until(lambda: password_hasher._outside._value == 0)
        assert made == []
    waiting.join(20)

    assert len(made) == 1


@pytest.mark.requirement("SD-20")
def test_a_caller_that_waits_for_others_of_its_network_takes_no_place_from_another_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 20.0)
    monkeypatch.setattr(password_hasher, "_places", threading.BoundedSemaphore(2))
    monkeypatch.setattr(password_hasher, "_outside", threading.BoundedSemaphore(1))

    def make(address: str) -> str:
        with hashing_for(address):
            return BoundedArgon2().encode("password", "some-salt-of-16-")

    waiting = threading.Thread(target=make, args=["192.0.2.1"])
    with hashing_for("192.0.2.1"), password_hasher._turn():
        waiting.start()
        assert wait_until(lambda: password_hasher._networks["192.0.2.1"].inside == 2)
        assert make("192.0.2.2")
    waiting.join(20)


@pytest.mark.requirement("SD-20")
def test_of_one_network_one_hash_is_made_and_one_waits_and_the_other_places_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 20.0)
    made: list[str] = []

    def make(address: str) -> None:
        with hashing_for(address):
            made.append(BoundedArgon2().encode("password", "some-salt-of-16-"))

    waiting = threading.Thread(target=make, args=["2001:db8::1"])
    with hashing_for("2001:db8::2"), password_hasher._turn():
        waiting.start()
        assert wait_until(lambda: password_hasher._networks["2001:db8::/64"].inside == 2)

        with nobody_waits(monkeypatch), pytest.raises(TooManyHashes):
            make("2001:db8::3")
        make("192.0.2.2")
        assert len(made) == 1
    waiting.join(20)

    assert len(made) == 2
    assert password_hasher._networks == {}


def test_a_place_is_free_again_after_a_failure() -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"), password_hasher._turn():
            raise ValueError("broken")

    assert BoundedArgon2().encode("password", "some-salt-of-16-")


@pytest.mark.requirement("SD-20")
def test_the_login_page_says_that_it_is_busy_and_nothing_is_counted(
    app: App, visitor: Visitor, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, page = make_person("amy"), visitor.request("GET", "/login")
    monkeypatch.setattr(password_hasher, "WAIT_SECONDS", 0.05)
    with password_hasher._turn(), password_hasher._turn():
        answer = visitor.sign_in(page, person)
        health = app.get("/login")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Many people are signing in just now." in answer.text
    assert health.status_code == 200
    assert not OutboxEvent.objects.filter(person=person.subject).exists()
    group = _group(person.username, visitor.address, now=clock.now())
    assert not RateCount.objects.filter(key=_key("account group", group, visitor.address)).exists()
    assert visitor.sign_in(answer, person).status_code == 200
