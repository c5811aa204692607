"""How the small server searches: the caller's view first, then the criteria, then counts and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from smartauth_probe.raw_http import Response
from smartauth_probe.target.fixture import SUBJECTS
from tests.smartauth_probe.small_versions import category_codings

if TYPE_CHECKING:
    from tests.smartauth_probe.small_records import Json
    from tests.smartauth_probe.small_server import Asked

REFERENCES = {"patient": "subject", "subject": "subject", "encounter": "encounter", "performer": "performer"}
# what a search finds records by that does not say whose they are
CRITERIA = {
    "_id", "code", "category", "status", "date", "encounter", "name", "family", "given", "birthdate"
}  # fmt: skip


@dataclass
class Search:
    asked: Asked
    kind: str
    pairs: list[tuple[str, str]]

    def answer(self) -> Response:
        from tests.smartauth_probe.small_server import Refused, bundle, respond

        if any(name.startswith("_has:") for name, _ in self.pairs) and not self.has("has-open"):
            raise Refused(400, "not-supported")
        if any("." in name for name, _ in self.pairs) and not self.has("chain-open"):
            raise Refused(400, "not-supported")
        grants = self.asked.grants(self.kind, "s")
        every = [each for each in self.asked.server.current() if each["resourceType"] == self.kind]
        matched = [each for each in every if self.matches(each)]
        seen = [each for each in matched if self.asked.sees(each, grants) or self.is_open()]
        total = len(matched) if self.has("count-before-filter") else len(seen)
        parameters = dict(self.pairs)
        if parameters.get("_summary") == "count" or parameters.get("_count") == "0":
            return respond(200, bundle([], "searchset", total))
        start, count = int(parameters.get("_offset", 0)), int(parameters.get("_count", 50))
        page = seen[start : start + count]
        links = {"self": self.page(start)} | ({"next": self.page(start + count)} if start + count < len(seen) else {})
        hidden = [{"resourceType": "OperationOutcome", "text": each["id"]} for each in matched if each not in seen]
        outcomes = hidden if self.has("outcome-names") else []
        return respond(200, bundle([*page, *self.included(page), *outcomes], "searchset", total, **links))

    def has(self, fault: str) -> bool:
        return self.asked.has(fault)

    def is_open(self) -> bool:
        """Whether a fault lets everything through."""
        if self.has("criteria-open") and {name for name, _ in self.pairs} & CRITERIA:
            return True
        if self.has("search-open") or (self.asked.request.method == "POST" and self.has("post-search-open")):
            return True
        return "_offset" in dict(self.pairs) and self.has("page-open")

    def page(self, start: int) -> str:
        from tests.smartauth_probe.small_server import BASE

        own = [(name, value) for name, value in self.pairs if name not in ("_offset", "access_token")]
        token = [("access_token", "x")] if self.has("token-in-link") else []
        host = self.asked.headers.get("x-forwarded-host", "") if self.has("host-believed") else ""
        base = f"http://{host}/fhir" if host else BASE
        return f"{base}/{self.kind}?{urlencode([*own, *token, ('_offset', str(start))])}"

    def matches(self, resource: Json) -> bool:
        pairs = dict(self.pairs).items() if self.has("last-wins") else self.pairs
        return all(self.meets(resource, name, value.split(",")) for name, value in pairs)

    def meets(self, resource: Json, name: str, values: list[str]) -> bool:
        if name == "_id":
            return resource["id"] in values
        if name == "code":
            coded = [each["code"] for each in resource.get("code", {}).get("coding", ())]
            return any(each.rpartition("|")[2] in coded for each in values)
        if name == "category":
            coded = [code["code"] for code in category_codings(resource)]
            return any(each.rpartition("|")[2] in coded for each in values)
        if "." in name:
            return self.reverse(resource, name, values)
        if name in ("subject:not", "subject:missing"):
            return not self.meets(resource, name.rpartition(":")[0], values)
        if name.endswith(":identifier"):
            values = [each.removeprefix("mrn-") for each in values]
        if name.split(":")[0] in ("patient", "subject"):
            named: Json = next((resource[each] for each in SUBJECTS if each in resource), {})
            return named.get("reference", "").removeprefix("Patient/") in [each.rpartition("/")[2] for each in values]
        if name == "identifier":
            numbers = [each.rpartition("|")[2] for each in values]
            return any(each["value"] in numbers for each in resource.get("identifier", ()))
        if name in ("name", "family"):
            return any(each["family"] in values for each in resource.get("name", ()))
        return self.reverse(resource, name, values)

    def reverse(self, resource: Json, name: str, values: list[str]) -> bool:
        """`_has` and chains, over all records: only a server with that fault comes here."""
        if name.startswith("_has:"):
            _, kind, _, parameter = name.split(":")
            others = [each for each in self.asked.server.current() if each["resourceType"] == kind]
            wanted = Search(self.asked, kind, [])
            return any(
                each.get("subject", {}).get("reference") == f"Patient/{resource['id']}"
                and wanted.meets(each, parameter, values)
                for each in others
            )
        if "." in name:
            target = resource.get(REFERENCES.get(name.split(".")[0].split(":")[0], ""), {})
            found = [each for each in self.asked.server.current() if self.reference(each) == target.get("reference")]
            return any(Search(self.asked, "", []).meets(each, name.split(".", 1)[1], values) for each in found)
        return True

    @staticmethod
    def reference(resource: Json) -> str:
        return f"{resource['resourceType']}/{resource['id']}"

    def included(self, page: list[Json]) -> list[Json]:
        """What is included, each judged for itself."""
        found = {}
        for each in self.asked.server.current():
            if (self.is_included(each, page) or self.is_reversed(each, page)) and each not in page:
                found[self.reference(each)] = each
        return list(found.values())

    def is_included(self, resource: Json, page: list[Json]) -> bool:
        wanted = [value for name, value in self.pairs if name.startswith("_include")]
        referred = [reference for each in page for reference in references(each)] if wanted else []
        return self.reference(resource) in referred and self.may_see(resource, "include-open")

    def is_reversed(self, resource: Json, page: list[Json]) -> bool:
        wanted = [value.split(":")[0] for name, value in self.pairs if name.startswith("_revinclude")]
        refers = {self.reference(each) for each in page} & set(references(resource))
        is_wanted = resource["resourceType"] in wanted or "*" in wanted
        return is_wanted and bool(refers) and self.may_see(resource, "revinclude-open")

    def may_see(self, resource: Json, fault: str) -> bool:
        from tests.smartauth_probe.small_server import Refused

        try:
            return self.asked.sees(resource, self.asked.grants(resource["resourceType"], "r")) or self.has(fault)
        except Refused:
            return self.has(fault)


def references(found: object) -> list[str]:
    """All of them, wherever they stand in it."""
    if isinstance(found, dict):
        own = [found["reference"]] if isinstance(found.get("reference"), str) else []
        return [*own, *(each for value in found.values() for each in references(value))]
    return [each for value in found for each in references(value)] if isinstance(found, list) else []
