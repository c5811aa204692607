"""The questions about one access token: what a request may do, and which resources of an answer may be shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from smartauth_enforcement.asking import Asking, Rejected, Unavailable
from smartauth_enforcement.checking import Item, prune
from smartauth_enforcement.decision import VIEW_FORM, Decision, Malformed, parse_decision, parse_decisions
from smartauth_enforcement.fhir_request import CREATE, FhirRequest, Refused
from smartauth_enforcement.http_answer import MALFORMED_REQUEST, HttpAnswer
from smartauth_enforcement.options import Enforcement
from smartauth_enforcement.strict_json import to_json

# of one question; smartauth reads 200 entries and 1 MiB
_ENTRIES, _BATCH_BYTES = 200, 900_000


class Token:
    """One request's token, and what smartauth says of it. Its methods raise Refused where smartauth says nothing."""

    def __init__(self, enforcement: Enforcement, asking: Asking, request: FhirRequest) -> None:
        self._base, self._asking = enforcement.base, asking
        self._subject = {"type": "access_token", "id": request.token()}
        self._caller = {"client_address": request.address} if enforcement.tells_addresses and request.address else {}

    async def decide(self, request: FhirRequest) -> Decision:
        """The decision about the request. Raises Refused with how to refuse it."""
        sent = {"form": request.form, "if_none_exist": request.if_none_exist}
        http = {"method": request.method, "url": request.url, **{k: v for k, v in sent.items() if v is not None}}
        context = {"base": self._base, "http": http, "understands": [VIEW_FORM], **self._caller}
        answer = await self._ask("evaluation", {"subject": self._subject, "context": context})
        try:
            decision = parse_decision(answer)
        except Malformed as problem:
            raise self._asking.refuse(problem) from None
        if isinstance(decision, HttpAnswer):
            raise Refused(decision)
        return decision

    async def visible_items(self, decision: Decision, items: Sequence[Item]) -> list[Item]:
        """Those that may be shown, in their order."""
        view = decision.view or {}
        sure = [any(one.is_everything for one in view.get(item.type, ())) for item in items]
        doubtful = [item for item, is_sure in zip(items, sure, strict=True) if not is_sure and view.get(item.type)]
        answers = iter(await self._about_each([_entry(self._base, decision, item) for item in doubtful]))
        return [
            item
            for item, is_sure in zip(items, sure, strict=True)
            if is_sure or (view.get(item.type) and next(answers))
        ]

    async def may_create(self, decision: Decision, resource: Mapping[str, Any]) -> bool:
        """Whether that may be stored as a new resource."""
        (found,) = await self._about_each([_entry(self._base, decision, Item(CREATE, resource, {}))])
        return found

    async def _about_each(self, entries: Sequence[Any]) -> list[bool]:
        found: list[bool] = []
        for batch in _batches(entries):
            question = {"subject": self._subject, "context": self._caller, "evaluations": batch}
            try:
                found += parse_decisions(await self._ask("evaluations", question), len(batch))
            except Malformed as problem:
                raise self._asking.refuse(problem) from None
        return found

    async def _ask(self, path: str, question: Any) -> Any:
        try:
            return await self._asking.ask(path, question)
        except Unavailable as problem:
            raise self._asking.refuse(problem) from None
        except Rejected:
            raise Refused(MALFORMED_REQUEST) from None


def _entry(base: str, decision: Decision, item: Item) -> Mapping[str, Any]:
    content = prune(item.resource, decision.elements.get(item.type, ()))
    found = item.resource.get("id", "*")
    about = {"type": item.type, "id": found if isinstance(found, str) and item.interaction != CREATE else "*"}
    return {
        "action": {"name": item.interaction},
        "resource": {**about, "properties": {"base": base, "content": content}},
    }


def _batches(entries: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for entry in entries:
        more = len(to_json(entry))
        if batch and (len(batch) == _ENTRIES or size + more > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += more
    if batch:
        yield batch
