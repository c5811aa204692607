"""A FHIR server without a network that does everything right, but for the faults that a test switches on.

Its tokens are the claims themselves. What is wrong with a fault `x` stands where the code asks `self.has("x")`.
"""

import itertools
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote

from smartauth_probe.bad_token import BadToken
from smartauth_probe.catalogue import kinds
from smartauth_probe.raw_http import Response
from smartauth_probe.requests import ANOTHER_ADDRESS, PRESENTATIONS, Presentation, presentation
from smartauth_probe.target.answer import Answer
from smartauth_probe.target.client import Client
from smartauth_probe.target.fixture import UNKNOWN_ID
from smartauth_probe.tokens.source import NoToken, Wanted, is_system
from tests.smartauth_probe.small_batch import carry_out
from tests.smartauth_probe.small_exports import Job, job
from tests.smartauth_probe.small_operations import operate
from tests.smartauth_probe.small_records import Json, records
from tests.smartauth_probe.small_search import Search
from tests.smartauth_probe.small_versions import (
    category_codings,
    in_form_of,
    is_in,
    refuse_another_version,
    statement,
)
from tests.smartauth_probe.small_writes import write

BASE = "http://127.0.0.1:9/fhir"
V1 = {"read": "rs", "write": "cud", "*": "cruds"}
LETTERS = {"read": "r", "vread": "r", "history": "r", "search": "s", "create": "c", "update": "u", "delete": "d"}
CODES = (*["read", "vread", "search-type", "history-instance", "history-type", "create", "update", "patch", "delete"],)
INVALID, FORBIDDEN = 'Bearer error="invalid_token"', 'Bearer error="insufficient_scope"'


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str = "", **headers: str) -> None:
        self.status, self.code, self.text, self.headers = status, code, text, headers


HIDDEN = Refused(404, "not-found")


@dataclass(frozen=True)
class Grant:
    """Records of these patients, None for everybody's, that have one of these categories, () for any."""

    patients: frozenset[str] | None
    categories: tuple[str, ...] = ()


@dataclass
class SmallServer:
    faults: frozenset[str] = frozenset()
    store: dict[tuple[str, str], list[Json | None]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    version: str = ""  # one of those of small_versions.py; "" is R4 with the types of all

    def __post_init__(self) -> None:
        listed = [in_form_of(self.version, each) for each in records() if is_in(self.version, each["resourceType"])]
        for each in listed:
            self.put(each)
        moved = next(each for each in listed if each["id"] == "ben-more")
        self.put({**moved, "id": "amy-moved"})
        self.put({**moved, "id": "amy-moved", "subject": {"reference": "Patient/amy"}})

    def has(self, fault: str) -> bool:
        return fault in self.faults

    def put(self, resource: Json) -> None:
        versions = self.store.setdefault((resource["resourceType"], resource["id"]), [])
        versions.append({**resource, "meta": {"versionId": str(len(versions) + 1)}})

    def current(self) -> Iterator[Json]:
        for versions in self.store.values():
            if versions[-1] is not None:
                yield versions[-1]

    # who asks

    def answer(self, request: Presentation) -> Response:
        try:
            return self._answer(request)
        except ValueError:
            return respond(400, {"resourceType": "OperationOutcome", "issue": [{"code": "invalid"}]})
        except Refused as refusal:
            issue = {"severity": "error", "code": refusal.code}
            issue["diagnostics"] = refusal.text or f"There is nothing at {request.path} for you."
            outcome: Json = {"resourceType": "OperationOutcome", "issue": [issue]}
            if self.has("traceback"):
                outcome |= {"text": "Traceback (most recent call last): line 1"}
            return respond(refusal.status, outcome, refusal.headers)

    def _answer(self, request: Presentation) -> Response:
        if self.has("breaks"):
            raise Refused(500, "exception")
        headers = {name.lower(): value for name, value in request.headers}
        if request.path == "metadata" and self.version:
            refuse_another_version(Asked(self, {}, request, headers))
        if request.path == "metadata" and not (self.has("metadata-closed") and "authorization" not in headers):
            return respond(200, self.statement(), {"Access-Control-Allow-Origin": "*"})
        if request.path == ".well-known/smart-configuration":
            is_open = not self.has("configuration-closed") or "authorization" in headers
            return respond(200 if is_open else 401, {})
        if request.method == "OPTIONS" and not self.has("options-is-get"):
            return respond(204, None, {"Access-Control-Allow-Origin": "https://app.example"})
        if self.has("unknown-first") and request.path.rpartition("/")[2] == UNKNOWN_ID:
            raise HIDDEN
        claims = self.claims(request, headers)
        return Asked(self, claims, request, headers).answer()

    def statement(self) -> Json:
        interactions = [{"code": code} for code in CODES]
        known = {each["resourceType"] for each in records()} | {kind for kind, _ in self.store} | {"Flag"}
        return statement(self.version, interactions, sorted(each for each in known if is_in(self.version, each)))

    def claims(self, request: Presentation, headers: Mapping[str, str]) -> Json:
        shown = [value for name, value in request.headers if name.lower() == "authorization"]
        in_form = dict(parse_qsl(request.body)).get("access_token")
        if in_form and shown and self.has("form-token-wins"):
            shown = [f"Bearer {in_form}"]
        if len(shown) > 1:
            raise Refused(400, "invalid")
        if not shown or not shown[0].lower().startswith("bearer "):
            is_believed = self.has("proxy-believed") and any(name.startswith("x-forwarded-u") for name in headers)
            is_head = self.has("head-open") and request.method == "HEAD"
            if not shown and (self.has("open") or self.has("options-is-get") or is_believed or is_head):
                return {"scope": "system/*.cruds"}
            raise Refused(401, "login", **{"WWW-Authenticate": "Bearer"})
        try:
            if not re.fullmatch(r"[A-Za-z0-9_=-]+", shown[0][7:]):
                raise ValueError
            claims: Json = json.loads(urlsafe_b64decode(shown[0][7:]))
            is_ended = shown[0][7:] in OpenTokens.ended and not self.has("answers-kept")
            is_free = self.has("address-believed") and headers.get("x-forwarded-for") == claims.get("address")
            if is_ended or ("address" in claims and not is_free):
                raise ValueError
            return claims
        except ValueError:
            raise Refused(401, "login", **{"WWW-Authenticate": INVALID}) from None


@dataclass
class Asked:
    """One request of somebody with these claims."""

    server: SmallServer
    claims: Json
    request: Presentation
    headers: Mapping[str, str]

    def answer(self) -> Response:
        refuse_another_version(self)
        parts = [part for part in self.request.path.split("/") if part]
        if self.has("path-normalised") and ".." in parts:
            return respond(200, self.server.store["Patient", parts[-1]][-1])
        method = "GET" if self.request.method == "OPTIONS" else self.request.method
        if self.has("override-obeyed") and self.headers.get("x-http-method-override") == "DELETE":
            self.server.store[parts[0], parts[1]].append(None)
            return respond(204, None)
        match (method, parts):
            case (_, ["export", key, *kind]):
                return job(self, key, *kind)
            case (_, [*_, name]) if name.startswith("$"):
                return operate(self, parts)
            case ("POST", []):
                return carry_out(self)
            case ("GET" | "HEAD", [kind, key]) if not kind.startswith(("_", "$")) and not key.startswith(("_", "$")):
                return self.read(kind, key)
            case ("GET", [kind, key, "_history", *rest]):
                return self.history(kind, key, *rest)
            case ("GET", [*kind, "_history"]) if len(kind) < 2:
                return self.history_of_all(*kind)
            case ("GET", []) if self.has("whole-open"):
                return respond(200, bundle(list(self.server.current()), "searchset", None))
            case ("GET", []) if "_type" in dict(parse_qsl(self.request.query)):
                return Search(self, dict(parse_qsl(self.request.query))["_type"], []).answer()
            case ("GET", [kind]):
                return Search(self, kind, parse_qsl(self.request.query)).answer()
            case ("POST", [kind, "_search"]):
                is_lost = "upgrade" in self.headers and self.has("upgrade-loses-the-form")
                pairs = parse_qsl(self.request.query) + parse_qsl("" if is_lost else self.request.body)
                return Search(self, kind, pairs).answer()
            case ("GET", ["Patient", key, kind]) if not kind.startswith("$"):
                if not self.server.has("compartment-search-open"):
                    self.find("Patient", key, "r")
                return Search(self, kind, [*parse_qsl(self.request.query), ("patient", key)]).answer()
            case _:
                return write(self, parts)

    # what the scopes allow

    def has(self, fault: str) -> bool:
        return self.server.has(fault)

    def grants(self, kind: str, letter: str) -> list[Grant]:
        """Raises Refused where no scope allows it."""
        found = list(self._grants(kind, letter))[: 1 if self.has("first-scope-only") else None]
        if self.has("scope-not-checked"):
            found.append(Grant(frozenset(["amy"])))
        if self.has("refuses-everything-but-all") and "*.rs" not in self.claims["scope"]:
            found = []
        if self.has("one-type-refused") and "/Observation." in self.claims["scope"]:
            found = []
        if not found:
            raise Refused(403, "forbidden", **{"WWW-Authenticate": FORBIDDEN})
        return found

    def _grants(self, kind: str, letter: str) -> Iterator[Grant]:
        for scope in str(self.claims.get("scope", "")).split():
            context, _, rest = scope.partition("/")
            name, _, query = rest.partition("?")
            of_type, _, letters = name.partition(".")
            letters = letters if self.has("v1-unknown") else V1.get(letters, letters)
            if self.has("v1-any-word") and not set(letters) <= set("cruds"):
                letters = "rs"
            is_type = of_type in ("*", kind) or self.has("type-not-checked")
            in_order = letters == "".join(each for each in "cruds" if each in letters) or self.has("letters-any-order")
            if is_type and in_order and (letter in letters or self.has("letters-not-checked")):
                yield from self._of_context(context, query)

    def _of_context(self, context: str, query: str) -> Iterator[Grant]:
        if query and not query.startswith("category=") and not self.has("query-unknown-open"):
            return
        categories = (
            ()
            if self.has("query-ignored") or self.has("query-unknown-open")
            else tuple(filter(None, [self.decoded(query.removeprefix("category="))]))
        )
        patient, user = self.claims.get("patient"), str(self.claims.get("fhirUser", ""))
        patient = str(patient).strip().lower() if self.has("patient-trimmed") else patient
        if self.has("unknown-patient-all") and ("Patient", patient) not in self.server.store:
            patient = None
        if context == "patient" and (patient or self.has("no-patient-all") or self.has("unknown-patient-all")):
            yield Grant(frozenset([patient]) if patient else None, categories)
        if context == "user" and self.has("user-open"):
            yield Grant(None)
        if context == "user" and user.endswith("Practitioner/dr"):
            yield Grant(frozenset(["amy"]), categories)
        if context == "user" and "/Patient/" in f"/{user}":
            yield Grant(frozenset([user.rpartition("/")[2]]), categories)
        if context == "system" and ("fhirUser" not in self.claims or self.has("system-of-anybody")):
            yield Grant(frozenset(["amy"]) if self.has("system-first-only") else None, categories)

    def decoded(self, value: str) -> str:
        return value if self.has("query-not-decoded") else unquote(value)

    def sees(self, resource: Json, grants: list[Grant]) -> bool:
        return any(self._lies_in(resource, grant) for grant in grants)

    def _lies_in(self, resource: Json, grant: Grant) -> bool:
        owners = patients_of(resource)
        if self.has("performers-are-members"):
            owners |= {each["reference"].removeprefix("Patient/") for each in resource.get("performer", ())}
        if grant.patients is not None and not (owners & grant.patients or self.has("no-compartment")):
            return False
        codes = category_codings(resource)[: 1 if self.has("first-category-only") else None]
        coded = {f"{code['system']}|{code['code']}" for code in codes}
        if self.has("system-ignored"):
            coded |= {value for value in grant.categories for code in codes if value.endswith(f"|{code['code']}")}
        return not grant.categories or bool(coded & set(grant.categories))

    # reading

    def find(self, kind: str, key: str, letter: str) -> Json:
        """The record as it is now. Raises Refused."""
        if self.has("lookup-first") and (kind, key) not in self.server.store:
            raise HIDDEN
        grants = self.grants(kind, letter)
        versions = self.server.store.get((kind, key))
        found = versions[-1] if versions else None
        if versions and not found and self.has("deleted-told"):
            raise Refused(410, "deleted")
        if found is None:
            raise HIDDEN
        if not self.sees(found, grants) and not (self.has("read-open") and self.request.method == "GET"):
            if self.has("forbidden-told"):
                raise Refused(403, "forbidden")
            if self.has("hidden-in-other-words"):
                raise Refused(404, "not-found", text=f"You may not see {kind}/{key}.")
            if self.has("hidden-with-another-value"):
                raise Refused(404, "not-found", **{"Content-Type": "application/json"})
            raise HIDDEN
        return found

    def read(self, kind: str, key: str) -> Response:
        if self.has("etag-first") and "if-none-match" in self.headers and (kind, key) in self.server.store:
            return respond(304, None)
        found = self.find(kind, key, "r")
        return respond(200, found, {"ETag": f'W/"{found["meta"]["versionId"]}"'})

    def history(self, kind: str, key: str, number: str = "") -> Response:
        grants = self.grants(kind, "s" if number and self.has("version-takes-s") else "r")
        versions = [each for each in self.server.store.get((kind, key), []) if each]
        now = versions[-1:] and self.sees(versions[-1], grants)
        seen = [each for each in versions if self.sees(each, grants) or (now and self.has("history-by-now"))]
        seen = versions if self.has("history-open") else seen
        if number:
            seen = [each for each in seen if each["meta"]["versionId"] == number]
        if not seen:
            raise HIDDEN
        return respond(200, seen[0] if number else bundle(seen, "history", len(seen)))

    def history_of_all(self, kind: str = "") -> Response:
        named = dict(parse_qsl(self.request.query)).get("_type", "")
        types = [kind or named] if kind or named else sorted({name for name, _ in self.server.store})
        versions = [self._versions(name) for name in types]
        seen = [each for found, _ in versions for each in found]
        total = sum(count for _, count in versions)
        counted = total if self.has("history-counted-first") else len(seen)
        count = int(dict(parse_qsl(self.request.query)).get("_count", 50))
        return respond(200, bundle(seen[:count], "history", counted))

    def _versions(self, kind: str) -> tuple[list[Json], int]:
        grants = self.grants(kind, "s")
        every = [each for (name, _), old in self.server.store.items() if name == kind for each in old if each]
        return [each for each in every if self.sees(each, grants) or self.has("history-open")], len(every)


def patients_of(resource: Json) -> set[str]:
    if resource["resourceType"] == "Patient":
        return {resource["id"]}
    named = (resource.get(name, {}).get("reference", "") for name in ("subject", "patient", "for", "beneficiary"))
    return {each.removeprefix("Patient/") for each in named if each.startswith("Patient/")}


def bundle(found: list[Json], kind: str, total: int | None, **links: str) -> Json:
    link = [{"relation": name, "url": url} for name, url in links.items()]
    entries = [{"resource": each} for each in found]
    counted = {} if total is None else {"total": total}
    return {"resourceType": "Bundle", "type": kind, **counted, "link": link, "entry": entries}


def respond(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    message = HTTPMessage()
    for name, value in {"Content-Type": "application/fhir+json", **(headers or {})}.items():
        message[name] = value
    return Response(status, message, b"" if body is None else json.dumps(body).encode())


# How the probe meets it -----------------------------------------------------------------------------------------------


class InProcess(Client):
    """A client whose server is in this process."""

    server: SmallServer

    def send(self, request: Presentation, token: str = "") -> Answer:
        self._wait()
        seconds = 0.02 if self.server.has("slow-for-known") and request.path.endswith("/ben") else 0.001
        return self._record(request, token, Answer.of(self.server.answer(request), seconds))


class OpenTokens:
    """Every token that anybody wants; of bad ones those whose request is wrong."""

    description, patient, numbers = "a test", "amy", itertools.count()
    ended: ClassVar[set[str]] = set()

    def know_patients(self, a: str, b: str) -> None:
        self.patient = a

    def token(self, wanted: Wanted) -> str:
        claims: dict[str, Any] = {"scope": wanted.scope, "fhirUser": wanted.user or "Patient/amy"}
        claims |= {"patient": wanted.patient} if wanted.patient else {}
        if is_system(wanted) and not wanted.user:
            claims.pop("fhirUser")
        claims |= {"jti": next(self.numbers), **dict(wanted.claims)}
        kept = {name: value for name, value in claims.items() if value is not None}
        return urlsafe_b64encode(json.dumps(kept).encode()).decode()

    def end(self, token: str) -> None:
        self.ended.add(token)

    def bad_token(self, kind: str, listens_at: str = "") -> BadToken:
        if kind == "address-blocked":
            bound = self.token(Wanted("patient/*.rs", "amy", claims=(("address", ANOTHER_ADDRESS),)))
            return BadToken(kinds()[kind], bound, BASE, presentation(kind, bound, "amy"))
        if kind not in PRESENTATIONS:
            raise NoToken("it has no signature")
        good = self.token(Wanted("patient/*.rs", self.patient))
        return BadToken(kinds()[kind], good, BASE, presentation(kind, good, self.patient))


def client_of(*faults: str) -> InProcess:
    client = InProcess(BASE)
    client.server = SmallServer(frozenset(faults))
    return client
