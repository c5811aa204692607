"""What a development server answers on the event loop beside the machines' paths. Elsewhere none of it exists."""

from collections.abc import Awaitable, Callable, Mapping

from introspection.introspect import introspect
from oauth.http.asgi import Receive, Scope, Send
from oauth.http.endpoint import Endpoint
from oauth.workbench.console.stream import PATH as STREAM
from oauth.workbench.console.stream import console_stream
from oauth.workbench.faults.introspection import DECISION_PATHS, GATEWAY_PATH, PATH, FaultyEndpoint
from smartauth_probe.introspection_faults import introspection_faults

Machine = Callable[[Scope, Receive, Send], Awaitable[None]]
_right = Endpoint(introspect)
DEVELOPMENT_MACHINES: dict[str, Machine] = {
    PATH: FaultyEndpoint(_right),
    STREAM: console_stream,
    **{f"/dev/introspect/{fault}": FaultyEndpoint(_right, fault) for fault in introspection_faults()},
}


def development_machines(machines: Mapping[str, Endpoint]) -> dict[str, Machine]:
    """Those, and the endpoints of decisions as resource servers meet them that meet a fault."""
    deciding = (*DECISION_PATHS, GATEWAY_PATH)
    return {**DEVELOPMENT_MACHINES, **{path: FaultyEndpoint(machines[path], path=path) for path in deciding}}
