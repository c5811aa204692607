"""Random histories of launches, refreshes and endings: a token lives if and only if a plain model says so."""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import CHALLENGE, REDIRECT_URI, SECRET, VERIFIER, App, basic
from tests.fixture_types import MakeClient, MakePerson, MakeResourceServer

SECOND, DAY = 1_000_000, 86_400_000_000
WHICH = st.integers(0, 1)
START = 1_800_000_000 * SECOND
DATA = "launch/patient patient/*.rs"
WIDER = "patient/*.cruds"
LIFE, IDLE, SESSION = 300 * SECOND, 92 * DAY, 3600 * SECOND
PATIENTS = ("amy", "ben")
CLIENTS: tuple[dict[str, Any], ...] = (
    {"supersede": "default"},
    {"supersede": "user-client"},
    {"supersede": "user-client", "tokens_to_keep": 2, "authentication": "secret"},
    {"supersede": "user-client-patient", "authentication": "secret"},
    {"supersede": "grant"},
    {"supersede": "client", "authentication": "secret"},
    {"supersede": "off"},
)


@dataclass
class Application:
    """A client, as the model sees it."""

    row: Any
    keep: int
    epoch: int = 0

    @property
    def lasting(self) -> bool:
        """Whether each refresh starts a new period: every app here that can keep a secret."""
        return bool(self.row.authentication == "secret")


@dataclass
class Person:
    """A person: what they may do, and when it was taken from them."""

    row: Any
    practitioner: bool
    session: str = ""
    epoch: int = 0
    stopped: bool = False
    may_share: set[str] = field(default_factory=lambda: set(PATIENTS))


@dataclass(eq=False)
class Launch:
    """What a person allowed once: everything that came of it belongs to it."""

    client: Application
    person: Person
    patient: str
    kind: str
    form: dict[str, str]
    row: Any
    client_epoch: int
    person_epoch: int
    launched_at: int
    ended: bool = False
    refreshes: list["Refresh"] = field(default_factory=list)

    @property
    def dead(self) -> bool:
        client, person = self.client, self.person
        epochs = (self.client_epoch, self.person_epoch) != (client.epoch, person.epoch)
        return self.ended or epochs or person.stopped

    @property
    def scope(self) -> str:
        return f"{self.kind} {DATA}".strip()


@dataclass(eq=False)
class Refresh:
    """A refresh token, and what it was exchanged for."""

    token: str
    expires_at: int
    spent_at: int | None = None
    answer: Any = None


@dataclass(eq=False)
class Access:
    """An access token."""

    token: str
    launch: Launch
    scope: str
    expires_at: int
    revoked: bool = False


@dataclass
class World:
    """What the tests give to every run."""

    app: App
    make_client: MakeClient
    make_person: MakePerson
    caller: Any
    fhir_server: Any
    settings: Any
    now: int = START


class Histories(RuleBasedStateMachine):
    """The server beside the model: whatever happens, they agree about every token."""

    shared: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world = world = self.shared
        world.now = START
        self.clients: list[Application] = []
        self.people = [
            Person(world.make_person(*PATIENTS, is_=who), practitioner=who.startswith("Practitioner"))
            for who in ("Patient/amy", "Practitioner/dr-green")
        ]
        self.launches: list[Launch] = []
        self.tokens: list[Access] = []
        self.issued: dict[Any, list[Access]] = {}
        self.families: dict[Any, list[Launch]] = {}

    # The model ----------------------------------------------------------------------------------------------------

    def seat(self, launch: Launch) -> Any:
        """Whose tokens end each other under the client's policy; None where nothing does."""
        client, person = launch.client.row, launch.person.row.pk
        policy = client.supersede
        if policy == "default":
            policy = "user-client-patient" if launch.person.practitioner else "user-client"
        keys = {
            "user-client": (client.pk, person),
            "user-client-patient": (client.pk, person, launch.patient),
            "grant": (client.pk, launch.row.pk, "grant"),
            "client": (client.pk, "all"),
        }
        return keys.get(policy)

    def alive(self, token: Access) -> bool:
        launch, seat = token.launch, self.seat(token.launch)
        newest = seat is None or token in self.issued[seat][-launch.client.keep :]
        return newest and not token.revoked and not launch.dead and self.world.now < token.expires_at

    def superseded(self, launch: Launch) -> bool:
        seat = self.seat(launch)
        return seat is not None and launch not in self.families[seat][-launch.client.keep :]

    def refusal(self, launch: Launch, refresh: Refresh, wanted: str) -> str:
        """Why the newest refresh token of a launch gives nothing, "" if it gives something."""
        lost = launch.patient not in launch.person.may_share
        if launch.dead or self.world.now >= refresh.expires_at or lost:
            return "invalid_grant"
        if wanted == WIDER:
            return "invalid_scope"
        return "invalid_grant" if self.superseded(launch) else ""

    def repeats(self, launch: Launch, refresh: Refresh) -> bool:
        """Whether a spent refresh token still gets its answer again: the last one that was spent, soon enough."""
        grace = self.world.settings.SMARTAUTH_REFRESH_GRACE_SECONDS * SECOND
        last = [each for each in launch.refreshes if each.spent_at is not None][-1]
        return refresh is last and self.world.now < (refresh.spent_at or 0) + grace

    def received(self, launch: Launch, answer: dict[str, Any]) -> None:
        """What a token answer means to the model."""
        access = Access(answer["access_token"], launch, answer["scope"], self.world.now + LIFE)
        self.tokens.append(access)
        self.issued.setdefault(self.seat(launch), []).append(access)
        assert ("refresh_token" in answer) is bool(launch.kind)
        if launch.kind:
            limits = [self.world.now + IDLE]
            limits += [] if launch.client.lasting else [launch.launched_at + IDLE]
            limits += [launch.launched_at + SESSION] if launch.kind == "online_access" else []
            launch.refreshes.append(Refresh(answer["refresh_token"], min(limits)))

    # What happens -------------------------------------------------------------------------------------------------

    @initialize(grace=st.sampled_from([0, 20]), chosen=st.permutations(range(len(CLIENTS))))
    def begin(self, grace: int, chosen: list[int]) -> None:
        """Two clients a run, so that something happens between them."""
        self.world.settings.SMARTAUTH_REFRESH_GRACE_SECONDS = grace
        grants, scope = "authorization_code refresh_token", f"offline_access online_access {DATA}"
        for fields in (CLIENTS[number] for number in chosen[:2]):
            row = self.world.make_client(grants=grants, scope=scope, **fields)
            self.clients.append(Application(row, fields.get("tokens_to_keep", 1)))

    @rule(
        client=WHICH,
        person=WHICH,
        patient=st.sampled_from(PATIENTS),
        kind=st.sampled_from(["offline_access", "online_access", ""]),
    )
    def launch(self, client: int, person: int, patient: str, kind: str) -> None:
        chosen, somebody = self.clients[client], self.people[person]
        launch = self.allowed(chosen, somebody, patient, kind)
        if somebody.stopped:
            self.suspend_or_lift(launch)
            launch.person_epoch = somebody.epoch
        if patient not in somebody.may_share:
            self.give_or_take_patient(launch)

        status, answer = self.post(launch.client, launch.form)

        assert status == 200
        self.launches.append(launch)
        self.families.setdefault(self.seat(launch), []).append(launch)
        self.received(launch, answer)

    @precondition(lambda self: self.newest())
    @rule(
        data=st.data(),
        times=st.integers(1, 2),
        later=st.sampled_from([0, SECOND, LIFE, SESSION, IDLE // 2]),
        wanted=st.sampled_from(["", "patient/Patient.rs", WIDER]),
    )
    def refresh(self, data: st.DataObject, times: int, later: int, wanted: str) -> None:
        launch = data.draw(st.sampled_from(self.newest()))
        for _ in range(times):
            self.world.now += later

            self.use(launch, launch.refreshes[-1], wanted)

    @precondition(lambda self: self.spent())
    @rule(data=st.data(), later=st.sampled_from([0, 19 * SECOND]))
    def replay(self, data: st.DataObject, later: int) -> None:
        launch, refresh = data.draw(st.sampled_from(self.spent()[-3:]))
        self.world.now += later

        self.use_again(launch, refresh)

    @precondition(lambda self: self.launches)
    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """What apps, people and operators do beside that; one rule, so that histories do not consist of it."""
        launch = data.draw(st.sampled_from(self.launches[-3:]))
        by_apps = [self.revoke_access, self.revoke_refresh, self.replay_the_code, self.replay_all, self.steal]
        by_people = [self.take_back, self.sign_out, self.give_or_take_patient]
        by_operators = [self.end_client, self.suspend_or_lift, self.keep_another_number]
        data.draw(st.sampled_from([*by_apps, *by_people, *by_operators]))(launch)

    def revoke_access(self, launch: Launch) -> None:
        token = next(token for token in reversed(self.tokens) if token.launch is launch)

        status, _ = self.post(launch.client, {"token": token.token}, "/o/revoke")

        assert status == 200
        token.revoked = True

    def revoke_refresh(self, launch: Launch) -> None:
        for refresh in launch.refreshes[:1]:
            status, _ = self.post(launch.client, {"token": refresh.token}, "/o/revoke")

            assert status == 200
            launch.ended = True

    def replay_the_code(self, launch: Launch) -> None:
        status, answer = self.post(launch.client, launch.form)

        assert (status, answer["error"]) == (400, "invalid_grant")
        launch.ended = True

    def replay_all(self, launch: Launch) -> None:
        """Every refresh token that was used, the newest first."""
        for refresh in reversed([each for each in launch.refreshes if each.spent_at is not None]):
            self.use_again(launch, refresh)

    def steal(self, launch: Launch) -> None:
        """Another client sends what this one holds or has used."""
        (thief,) = (client for client in self.clients if client is not launch.client)
        for refresh in launch.refreshes:
            status, answer = self.post(thief, self.form(refresh))

            assert (status, answer["error"]) == (400, "invalid_grant")

    def take_back(self, launch: Launch) -> None:
        from oauth.models import Authorization

        Authorization.objects.filter(pk=launch.row.pk).end("taken-back", now=self.world.now)

        launch.ended = True

    def sign_out(self, launch: Launch) -> None:
        from oauth.ending.selection import Actor
        from oauth.ending.sessions import end_online_access

        person = launch.person
        if person.session:
            end_online_access([person.session], Actor(now=self.world.now))
        for each in self.launches:
            each.ended |= each.person is person and each.kind == "online_access"
        person.session = ""

    def end_client(self, launch: Launch) -> None:
        from oauth.models import Client

        Client.objects.filter(pk=launch.client.row.pk).advance_epoch()

        launch.client.epoch += 1

    def suspend_or_lift(self, launch: Launch) -> None:
        from accounts.models import User

        person = launch.person
        found = User.objects.get_queryset().filter(pk=person.row.pk)
        if person.stopped:
            found.lift_suspension()
        else:
            found.suspend("test")
            person.epoch += 1
        person.stopped = not person.stopped

    def give_or_take_patient(self, launch: Launch) -> None:
        from oauth.models import ActsFor, FhirIdentity, PatientRecord

        may = launch.person.may_share
        identity = FhirIdentity.objects.get(user=launch.person.row)
        record = PatientRecord.objects.get(fhir_server=self.world.fhir_server, patient=launch.patient)
        if launch.patient in may:
            ActsFor.objects.filter(identity=identity, record=record).delete()
        else:
            ActsFor.objects.create(identity=identity, record=record)
        may ^= {launch.patient}

    def keep_another_number(self, launch: Launch) -> None:
        from oauth.models import Client

        client = launch.client
        client.keep = client.keep % 3 + 1
        Client.objects.filter(pk=client.row.pk).update(tokens_to_keep=client.keep)

    @precondition(lambda self: self.launches)
    @rule(later=st.sampled_from([SECOND, 19 * SECOND, LIFE, SESSION]))
    def wait(self, later: int) -> None:
        self.world.now += later

    @invariant()
    def every_access_token_is_as_the_model_says(self, *, newest: int = 8) -> None:
        """After each step the newest ones, in the end all."""
        tokens = self.tokens[-newest:]
        told = self.introspected([token.token for token in tokens])

        expected = [{"active": True, "scope": t.scope} if self.alive(t) else {"active": False} for t in tokens]
        assert [{name: each[name] for name in ("active", "scope") if name in each} for each in told] == expected

    def teardown(self) -> None:
        """In the end every refresh token that was not used is tried."""
        for launch in [each for each in self.launches if each.refreshes]:
            self.use(launch, launch.refreshes[-1], "")
        self.every_access_token_is_as_the_model_says(newest=len(self.tokens))

    # How it happens -----------------------------------------------------------------------------------------------

    def newest(self) -> list[Launch]:
        """Launches with refresh tokens: the last that live, so that something happens to them."""
        refreshing = [launch for launch in self.launches if launch.refreshes]
        return [launch for launch in refreshing if not launch.dead][-2:] or refreshing[-1:]

    def spent(self) -> list[tuple[Launch, Refresh]]:
        return [(each, one) for each in self.launches for one in each.refreshes if one.spent_at is not None]

    def use(self, launch: Launch, refresh: Refresh, wanted: str) -> None:
        refusal = self.refusal(launch, refresh, wanted)

        status, answer = self.post(launch.client, self.form(refresh, wanted))

        assert (status, answer.get("error", "")) == (400 if refusal else 200, refusal)
        if not refusal:
            assert answer["scope"] == (wanted or launch.scope)
            refresh.spent_at, refresh.answer = self.world.now, answer
            self.received(launch, answer)

    def use_again(self, launch: Launch, refresh: Refresh) -> None:
        repeated, dead = self.repeats(launch, refresh), launch.dead

        status, answer = self.post(launch.client, self.form(refresh))

        if repeated and not dead:
            assert (status, answer) == (200, refresh.answer)
        else:
            assert (status, answer["error"]) == (400, "invalid_grant")
            launch.ended = True

    def form(self, refresh: Refresh, wanted: str = "") -> dict[str, str]:
        scope = {"scope": wanted} if wanted else {}
        return {"grant_type": "refresh_token", "refresh_token": refresh.token, **scope}

    def post(self, client: Application, form: dict[str, str], path: str = "/o/token") -> tuple[int, Any]:
        public = client.row.authentication == "none"
        sent = {**form, "client_id": client.row.client_id} if public else form
        headers = {} if public else basic(client.row.client_id, SECRET)
        response = self.world.app.post(path, data=sent, headers=headers)
        return response.status_code, response.json() if response.content else {}

    def introspected(self, tokens: list[str]) -> list[dict[str, Any]]:
        from smartauth.asgi import application

        headers = basic(self.world.caller.client_id, SECRET)

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", timeout=60) as asked:
                questions = (asked.post("/o/introspect", data={"token": token}, headers=headers) for token in tokens)
                return await asyncio.gather(*questions)

        return [response.json() for response in self.world.app.run(ask())] if tokens else []

    def allowed(self, client: Application, person: Person, patient: str, kind: str) -> Launch:
        """The authorization and its code, as the consent page leaves them."""
        from oauth.models import Authorization, Code
        from smart.digests import random_token, sha256_hex

        now, code = self.world.now, random_token()
        person.session = person.session or secrets.token_hex(8)
        online = kind == "online_access"
        row = Authorization.objects.create(
            client=client.row,
            user=person.row,
            fhir_server=self.world.fhir_server,
            patient=patient,
            scope=f"{kind} {DATA}".strip(),
            context=json.dumps({"patient": patient}),
            session_digest=sha256_hex(person.session) if online else "",
            session_ends_at=now + SESSION if online else 0,
            client_epoch=client.epoch,
            user_epoch=person.epoch,
            fhir_server_epoch=self.world.fhir_server.epoch,
        )
        Code.objects.create(
            digest=sha256_hex(code),
            authorization=row,
            redirect_uri=REDIRECT_URI,
            code_challenge=CHALLENGE,
            issued_at=now,
            expires_at=now + 60 * SECOND,
        )
        known = {"redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
        form = {"grant_type": "authorization_code", "code": code, **known}
        return Launch(client, person, patient, kind, form, row, client.epoch, person.epoch, now)


@pytest.fixture
def world(
    app: App,
    make_client: MakeClient,
    make_person: MakePerson,
    make_resource_server: MakeResourceServer,
    fhir_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """The server at a time that only the test moves, as in production: no answer looks for what explains it."""
    settings.SMARTAUTH_DEV = False
    made = World(app, make_client, make_person, make_resource_server(), fhir_server, settings)
    monkeypatch.setattr("accounts.clock.now", lambda: made.now)
    return made


@pytest.mark.requirement("PR-01", "RF-04", "IN-09")
def test_no_history_leaves_a_token_alive_that_should_be_dead_nor_the_reverse(world: World) -> None:
    class Here(Histories):
        shared = world

    run_state_machine_as_test(
        Here,
        settings=profile(
            max_examples=60,
            stateful_step_count=20,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
