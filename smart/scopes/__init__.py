"""SMART scopes: the grammar, sets of them, and their spelling in version 1."""
