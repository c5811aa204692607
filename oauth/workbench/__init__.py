"""Test tokens, faults of introspection and the console, in development only.

Its packages, each above those that it imports: pages, sending and api, orders (what is asked for), minting, console,
faults (of introspection), memory.
"""
