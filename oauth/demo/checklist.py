"""The checklist of the home page: which FHIR server is protected how far, by what was seen of it."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.db.models import Max

from oauth.demo import told_steps
from oauth.demo.quickstart import command_line, probe_command
from oauth.models import Authorization, FhirServer
from oauth.workbench.memory.probe_results import Probed, last_probe_of
from oauth.workbench.memory.questions import last_question_of
from oauth.workbench.memory.reports import OTHER_PATIENT
from oauth.workbench.memory.results import GOOD, Result, results_of
from oauth.workbench.memory.told import Told, Topic
from oauth.workbench.orders.form import TokenForm
from oauth.workbench.orders.own_servers import bundled_servers, own_servers
from smart.time_units import to_datetime
from smartauth_probe.catalogue import kinds

EXAMPLE = "http://127.0.0.1:9000/fhir --name my-fhir"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that protects a server: whether it was seen, and what shows it: a kind to send, or a command.

    `is_told`: it heard here what to do, and nobody saw whether it did so. `look` is the address of the kind that was
    answered wrongly, in the list of all kinds.
    """

    title: str
    is_done: bool
    sentence: str
    is_told: bool = False
    at: datetime | None = None
    kind: str = ""
    button: str = ""
    command: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """The five steps of one FHIR server; without one, how to register it. `probe` is a command that tries the rest.

    `probed` is the last time that somebody did so, from here or from a shell.
    """

    server: FhirServer | None
    steps: tuple[Step, ...]
    form: Mapping[str, str]
    probe: str = ""
    probed: Probed | None = None

    @property
    def done(self) -> int:
        return sum(1 for step in self.steps if step.is_done)

    @property
    def told(self) -> int:
        return sum(1 for step in self.steps if step.is_told)

    @property
    def percent(self) -> int:
        return 100 * self.done // len(self.steps)

    @property
    def percent_with_told(self) -> int:
        return 100 * (self.done + self.told) // len(self.steps)

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def checklist(chosen: str) -> tuple[Checklist, list[FhirServer]]:
    """The list of the chosen server (its number), else of the developer's newest one; and all that can be chosen."""
    own = own_servers()
    servers = [*own, *bundled_servers()]
    server = next((each for each in servers if str(each.pk) == chosen), own[0] if own else None)
    return _checklist(server), servers


def _checklist(server: FhirServer | None) -> Checklist:
    form = TokenForm.beginning(server.base).sent if server else {}
    steps = (_registration_step(server), *_further_steps(server, form))
    if server is None:
        return Checklist(server, steps, form)
    return Checklist(server, steps, form, _probe_command(server, form), last_probe_of(server.base))


def _registration_step(server: FhirServer | None) -> Step:
    if server:
        return Step("It is registered here", is_done=True, sentence=server.base)
    command = f"{command_line()} fhir-server add {EXAMPLE} --client demo-public"
    return Step(
        "It is registered here",
        is_done=False,
        sentence="Not yet. Say where yours is; the answer has the secret with which it asks here about tokens.",
        command=command,
    )


def _further_steps(server: FhirServer | None, form: Mapping[str, str]) -> Iterator[Step]:
    results = results_of(server.base) if server else {}
    command = _read_command(server, form) if server else ""
    heard = told_steps.told_to(server) if server else {}
    yield _asks(server, heard, command)
    good, other = results.get(GOOD), results.get(OTHER_PATIENT)
    refuses = _refuses(results, server.base if server else "")
    yield _or_told(_lets_in(good), Topic.GOOD, {} if good else heard)
    yield _or_told(refuses, Topic.NOT_ACTIVE, {} if refuses.look else heard)
    yield _or_told(_hides(other), Topic.SOME_RECORDS, {} if other else heard)


def _or_told(step: Step, topic: Topic, heard: Mapping[Topic, Told]) -> Step:
    """The step as it was seen; where nobody saw what the server does, what it was told to do."""
    if step.is_done or topic not in heard:
        return step
    last = heard[topic]
    return replace(step, is_told=True, sentence=told_steps.sentence(topic, last), at=to_datetime(last.at))


def _asks(server: FhirServer | None, heard: Mapping[Topic, Told], command: str) -> Step:
    """A client that asks for several FHIR servers counts for those whose tokens it has asked about."""
    title = "It asks here about tokens"
    callers = told_steps.callers_of_it_alone(server) if server else []
    questions = [question for caller in callers if (question := last_question_of(caller))]
    if questions:
        last, number = max(question.at for question in questions), sum(question.number for question in questions)
        return Step(title, is_done=True, sentence=f"{number} since this server started.", at=to_datetime(last))
    if heard:
        last = max(each.at for each in heard.values())
        return Step(title, is_done=True, sentence="About its tokens, since this server started.", at=to_datetime(last))
    used = Authorization.objects.filter(fhir_server=server).aggregate(at=Max("used_at"))["at"] if server else 0
    if used:
        return Step(title, is_done=True, sentence="Before this server started.", at=to_datetime(used))
    sentence = "Not seen yet. Read a record there with a good token. A server that verifies JWTs itself never asks."
    return Step(title, is_done=False, sentence=sentence, command=command)


def _lets_in(good: Result | None) -> Step:
    title, button = "It lets a good token in", "Send a good token, then an expired one"
    if good and good.status == 200:  # HTTP
        return Step(title, is_done=True, sentence="It answered 200.", at=good.when)
    sentence = f"It answered {good.status}: it must be 200." if good else "Not seen yet. The answer must be 200."
    return Step(title, is_done=False, sentence=sentence, kind="expired", button=button)


def _refuses(results: Mapping[str, Result], base: str) -> Step:
    title = "It refuses a bad token"
    bad = {name: result for name, result in results.items() if name in kinds() and not kinds()[name].is_good}
    bad.pop(OTHER_PATIENT, None)
    right = [result for result in bad.values() if result.is_right]
    if right and not any(result.is_wrong for result in bad.values()):
        every = sum(1 for kind in kinds().values() if not kind.is_good)
        number = f"{len(right)} of {every} bad kinds, and none was let in."
        return Step(title, is_done=True, sentence=number, at=max(result.when for result in right))
    wrong = [name for name, result in bad.items() if result.is_wrong]
    if not wrong:
        sentence = "Not seen yet. The answer must be 401."
        return Step(title, is_done=False, sentence=sentence, kind="expired", button="Send an expired token")
    return Step(
        title,
        is_done=False,
        sentence=f"Wrong answer to {', '.join(wrong[:5])}.",
        kind=wrong[0],
        button=f"Send {wrong[0]} again",
        look=f"/dev/tokens?{urlencode({'q': wrong[0], 'aud': base})}#kinds",
    )


def _hides(other: Result | None) -> Step:
    title, button = "It hides other records", "Ask for the record of another patient"
    if other and other.is_right:
        return Step(title, is_done=True, sentence=f"It answered {other.status}, as to no record.", at=other.when)
    sentence = f"It answered {other.status}: it must be 404." if other else "Not seen yet. The answer must be 404."
    return Step(title, is_done=False, sentence=sentence, kind=OTHER_PATIENT, button=button)


def _probe_command(server: FhirServer, form: Mapping[str, str]) -> str:
    """Every check, with tokens for somebody there; "" where nobody may ask for its tokens."""
    if not form["client"] or not form["user"]:
        return ""
    return f"{probe_command()} {shlex.join(['--client', form['client'], '--user', form['user'], server.base])}"


def _read_command(server: FhirServer, form: Mapping[str, str]) -> str:
    """A good token for somebody there, and a read with it; "" where nobody may ask for its tokens."""
    if not form["client"] or not form["user"]:
        return ""
    asked = shlex.join(["--client", form["client"], "--user", form["user"], "--aud", server.base])
    return f"curl -i --oauth2-bearer $({command_line()} token {asked}) {server.base}/Patient"
