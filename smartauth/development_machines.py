"""What a development server answers on the event loop beside the machines' paths. Elsewhere none of it exists."""

from collections.abc import Awaitable, Callable

from introspection.introspect import introspect
from oauth.http.asgi import Receive, Scope, Send
from oauth.http.endpoint import Endpoint
from oauth.workbench.console.stream import PATH as STREAM
from oauth.workbench.console.stream import console_stream
from oauth.workbench.faults.introspection import PATH, FaultyIntrospection
from smartauth_probe.introspection_faults import introspection_faults

Machine = Callable[[Scope, Receive, Send], Awaitable[None]]
_right = Endpoint(introspect)
DEVELOPMENT_MACHINES: dict[str, Machine] = {
    PATH: FaultyIntrospection(_right),
    STREAM: console_stream,
    **{f"/dev/introspect/{fault}": FaultyIntrospection(_right, fault) for fault in introspection_faults()},
}
