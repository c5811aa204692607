"""What a development server answers on the event loop beside the machines' paths. Elsewhere none of it exists."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from introspection.evaluation import evaluate
from introspection.gateway import answer_gateway
from introspection.introspect import introspect
from oauth.http.asgi import Receive, Scope, Send
from oauth.http.endpoint import Endpoint
from oauth.workbench.console.stream import PATH as STREAM
from oauth.workbench.console.stream import console_stream
from oauth.workbench.faults.introspection import PATH, FaultyIntrospection
from oauth.workbench.memory.questions import remember_questions
from smart.decisions.gateway import GATEWAY
from smartauth_probe.introspection_faults import introspection_faults

Machine = Callable[[Scope, Receive, Send], Awaitable[None]]
_right = Endpoint(remember_questions(introspect))
DEVELOPMENT_MACHINES: dict[str, Machine] = {
    PATH: FaultyIntrospection(_right),
    STREAM: console_stream,
    **{f"/dev/introspect/{fault}": FaultyIntrospection(_right, fault) for fault in introspection_faults()},
}


def remembering_endpoints(decisions: Mapping[str, Endpoint], gateway: Endpoint) -> dict[str, Machine]:
    """The endpoints of decisions, which keep in mind who asked about which token; no fault changes their answers."""
    asked = answer_gateway(remember_questions(evaluate))
    remembering = {path: replace(each, handler=remember_questions(each.handler)) for path, each in decisions.items()}
    return {**remembering, GATEWAY: replace(gateway, handler=asked)}
