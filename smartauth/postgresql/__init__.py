"""Django's backend for PostgreSQL, which takes no connection to a server that takes no writes."""
