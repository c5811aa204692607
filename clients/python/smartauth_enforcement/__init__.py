"""For FHIR servers: smartauth decides what each request may do, and nothing else is let through."""

from smartauth_enforcement.asgi import AsgiMiddleware
from smartauth_enforcement.decision import Alternative, Decision
from smartauth_enforcement.options import Enforcement, Narrow
from smartauth_enforcement.wsgi import WsgiMiddleware

__all__ = ["Alternative", "AsgiMiddleware", "Decision", "Enforcement", "Narrow", "WsgiMiddleware"]
__version__ = "0.1.0"
