"""What is asked about a request before your server sees it, and about its answer before the app does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from smartauth_enforcement.asking import Asking, Unavailable
from smartauth_enforcement.checking import (
    Item,
    count_alone,
    error_answer,
    has_search,
    items_of,
    parse_resource,
    rebuild_bundle,
    resource_answer,
)
from smartauth_enforcement.deciding import Token
from smartauth_enforcement.decision import Alternative, Decision
from smartauth_enforcement.fhir_request import CREATE, HISTORY, READ, SEARCH, FhirRequest, Refused
from smartauth_enforcement.http_answer import (
    BROKEN_SERVER,
    FHIR_JSON,
    FORBIDDEN,
    MALFORMED_REQUEST,
    NO_FORM,
    NO_JSON,
    HttpAnswer,
)
from smartauth_enforcement.narrowing import checkable_request, narrowed_request
from smartauth_enforcement.options import Enforcement, Narrow

SMART_CONFIGURATION = ".well-known/smart-configuration"
PUBLIC = ("metadata",)
MAX_FORM, MAX_CONTENT = 65_536, 10_000_000

ReadBody = Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A request on its way to your server, as your server is to see it; `body` in place of its own.

    With `token` its answer comes back to the gate. `is_count`: the app wants the number of matches and none of them.
    """

    request: FhirRequest
    decision: Decision | None = None
    token: Token | None = None
    body: bytes | None = None
    is_count: bool = False


class Gate:
    """Asks smartauth about each request and each answer. Nothing is kept but connections and the public document."""

    def __init__(self, enforcement: Enforcement) -> None:
        self._options, self._asking = enforcement, Asking(enforcement)

    async def before(self, request: FhirRequest, read_body: ReadBody) -> Passage:
        """How the request goes on. Raises Refused with the answer where it does not."""
        if request.method in ("GET", "HEAD") and request.path == SMART_CONFIGURATION:
            raise Refused(await self._document())
        # nobody has decided about the body of a GET, in which some servers look for parameters
        body = b"" if request.method in ("GET", "HEAD") else None
        if request.method in ("GET", "HEAD") and request.path in (*PUBLIC, *self._options.public):
            return Passage(request, body=body)
        token = Token(self._options, self._asking, request)
        if request.is_search_by_post:
            body = await read_body(MAX_FORM)
            request = replace(request, form=_form(request, body))
        decision = await token.decide(request)
        if decision.view is None:
            return Passage(request, decision, body=body)
        if request.interaction == CREATE:
            if not request.has_json:
                raise Refused(NO_JSON)
            body = await read_body(MAX_CONTENT)
            await _require_storable(body, token, decision)
            return Passage(replace(request, content_type=request.content_type or FHIR_JSON), decision, token, body)
        if not request.interaction:
            raise Refused(FORBIDDEN)
        sent = self._request_to_check(request, decision.view)
        return Passage(sent, decision, token, b"", is_count=request.asks_for_count)

    def _request_to_check(self, request: FhirRequest, view: Mapping[str, Sequence[Alternative]]) -> FhirRequest:
        """The request in a form whose answer can be checked; a search is narrowed to the view as well."""
        request = checkable_request(request, keeps_counts=self._believes_counts(request, view))
        if request.interaction != SEARCH or self._options.narrow == Narrow.APP:
            return request
        return narrowed_request(request, view.get(request.type, ()), Narrow(self._options.narrow))

    async def after(self, asked: FhirRequest, passage: Passage, answer: HttpAnswer) -> HttpAnswer:
        """What of your server's answer the app may see."""
        if passage.decision is None or passage.token is None:
            return answer
        try:
            if asked.interaction == CREATE:
                return resource_answer(answer) if 200 <= answer.status < 300 else error_answer(answer)
            found = await self._visible_answer(asked, passage.decision, passage.token, answer)
        except Refused as refused:
            return refused.answer
        return count_alone(found) if passage.is_count else found

    async def _visible_answer(
        self, asked: FhirRequest, decision: Decision, token: Token, answer: HttpAnswer
    ) -> HttpAnswer:
        """The answer with nothing but what the view has."""
        if answer.status in (404, 410) and asked.interaction != SEARCH:
            # asked all the same: what is hidden takes no longer than what never was
            await token.visible_items(decision, [Item(READ, {"resourceType": asked.type, "id": asked.id}, {})])
            return decision.hide
        if not 200 <= answer.status < 300:
            return error_answer(answer)
        found = parse_resource(answer.body)
        if found is None:
            return BROKEN_SERVER
        shown = await token.visible_items(decision, items_of(asked, found))
        if asked.interaction == SEARCH or (asked.interaction == HISTORY and shown):
            believed = self._believes_counts(asked, decision.view or {})
            return rebuild_bundle(asked, answer, found, shown, believes_count=believed)
        return resource_answer(answer) if shown else decision.hide

    def _believes_counts(self, request: FhirRequest, view: Mapping[str, Sequence[Alternative]]) -> bool:
        """Whether what your server counts is what the app may see, also where no page shows it."""
        return self._options.trusts_counts or any(one.is_everything for one in view.get(request.type, ()))

    async def _document(self) -> HttpAnswer:
        """Raises Refused."""
        try:
            body = await self._asking.document()
        except Unavailable as problem:
            raise self._asking.refuse(problem) from None
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        return HttpAnswer(200, (*headers.items(), ("access-control-allow-origin", "*")), body)


async def _require_storable(body: bytes, token: Token, decision: Decision) -> None:
    """Raises Refused for what may not be stored, or cannot be read."""
    resource = parse_resource(body)
    if resource is None:
        raise Refused(MALFORMED_REQUEST)
    if has_search(resource) or not await token.may_create(decision, resource):
        raise Refused(FORBIDDEN)


def _form(request: FhirRequest, body: bytes) -> str:
    if body and not request.has_form:
        raise Refused(NO_FORM)
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise Refused(MALFORMED_REQUEST) from None
