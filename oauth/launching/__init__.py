"""Launches from an EHR: the handle, its context, and the page and the endpoint that make one."""
