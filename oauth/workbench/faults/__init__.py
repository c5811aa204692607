"""Introspection that misbehaves on purpose: at which resource servers, and with which answer."""
