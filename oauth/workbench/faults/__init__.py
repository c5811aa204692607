"""Introspection that misbehaves on purpose: for whom, and with which answer."""
