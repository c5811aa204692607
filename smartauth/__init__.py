"""Composition root: settings, the map of the server, start checks. Nobody imports it."""
