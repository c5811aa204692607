"""Django's backend for PostgreSQL, where a server that takes no writes counts as one that does not answer."""
