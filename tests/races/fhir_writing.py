"""What contenders do at the bundled FHIR server: writes of one resource at the same moment."""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

from tests.races.contender import Commands

BASE = "http://127.0.0.1:8000/fhir/r4"
SYSTEM = "urn:races"


class FhirCommands(Commands):
    """Each as a backend service with every right."""

    def create(self, name: str) -> str:
        """The id of a new resource."""
        return str(json.loads(_performed("POST", "Observation", _observation(name)).text)["id"])

    def update(self, resource_id: str, tag: str, threads: int) -> list[int]:
        """The statuses of that many updates at one moment, all of the version with that tag."""
        body = {**_observation("updated"), "id": resource_id}
        return self._at_once(lambda: _status("PUT", f"Observation/{resource_id}", body, {"If-Match": tag}), threads)

    def create_once(self, name: str, threads: int) -> list[int]:
        """The statuses of that many creates at one moment, each only if there is none yet."""
        condition = {"If-None-Exist": f"code={SYSTEM}|{name}"}
        return self._at_once(lambda: _status("POST", "Observation", _observation(name), condition), threads)

    def create_once_alone(self, name: str) -> int:
        """The status of one such create."""
        return _status("POST", "Observation", _observation(name), {"If-None-Exist": f"code={SYSTEM}|{name}"})

    def numbers(self, name: str) -> list[int]:
        """The numbers of the versions of all resources with that code."""
        from fhir.models import Record, TokenValue

        found = TokenValue.objects.filter(parameter="r4/Observation/code", system=SYSTEM, code=name)
        ids = Record.objects.filter(pk__in=found.values("record")).values("resource_id")
        return sorted(Record.objects.filter(resource_id__in=ids).values_list("number", flat=True))

    def die_within(self, names: list[str]) -> None:
        """A transaction that creates one resource for each name, ended by kill -9 when half of them are stored."""
        from fhir.http import batch, enforcement

        done: list[Any] = []

        def perform_and_die(*arguments: Any) -> Any:
            done.append(enforcement.perform(*arguments))
            if len(done) == len(names) // 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return done[-1]

        request = {"method": "POST", "url": "Observation"}
        entries = [{"request": request, "resource": _observation(name)} for name in names]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        with patch.object(batch, "perform", perform_and_die):
            batch.perform_bundle(_caller(), json.dumps(bundle), lambda error, asked: None)

    def die_while_recording(self, name: str, is_recorded: bool) -> None:
        """A create, ended by kill -9 just before its event is written or just after."""
        from fhir.http import accesses, enforcement

        def record_and_die(*arguments: Any) -> None:
            if is_recorded:
                accesses.record_access(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        with patch.object(enforcement, "record_access", record_and_die):
            _performed("POST", "Observation", _observation(name))

    def unmatched(self) -> list[str]:
        """Versions made by these commands of which no event tells, and those that an event invents."""
        from fhir.audit.models import WaitingEvent
        from fhir.models import Record

        told = [json.loads(facts) for facts in WaitingEvent.objects.values_list("facts", flat=True)]
        named = {one["records"][0][0] for one in told if one.get("is_written")}
        made = Record.objects.filter(type="Observation", tokenvalue__system=SYSTEM)
        versions = {
            f"Observation/{resource_id}/_history/{number}"
            for resource_id, number in made.values_list("resource_id", "number")
        }
        return sorted(versions ^ named)

    def _at_once(self, act: Callable[[], int], threads: int) -> list[int]:
        self._barrier.wait()
        with ThreadPoolExecutor(threads) as pool:
            return [one.result() for one in [pool.submit(act) for _ in range(threads)]]


def _observation(name: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": SYSTEM, "code": name}]},
        "subject": {"reference": "Patient/amy"},
    }


def _caller() -> Any:
    from fhir.http.interaction import Caller
    from fhir.versions.version import load_version
    from smart.decisions.subject import Subject
    from smart.decisions.view import Reach
    from smart.scopes.scope_sets import parse_scopes

    subject = Subject(parse_scopes("system/*.cruds"), is_backend=True)
    reach = Reach(subject, "r4", BASE)
    return Caller(load_version("r4"), BASE, reach, reach, {"client_id": "demo-backend"})


def _performed(method: str, url: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    from fhir.http.enforcement import perform
    from fhir.http.interaction import Asked
    from smart.decisions.question import split_url

    return perform(_caller(), Asked(method, split_url(url)[0], [], headers or {}, json.dumps(body)))


def _status(method: str, url: str, body: Any, headers: dict[str, str]) -> int:
    """The status, on a connection that ends with the request, as those of a server's threads do not."""
    from django.db import connection

    from fhir.operation_outcome import FhirError

    try:
        return int(_performed(method, url, body, headers).status)
    except FhirError as error:
        return int(error.status_code)
    finally:
        connection.close()
