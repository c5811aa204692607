"""How a client proves itself, and where its secrets and keys come from."""
