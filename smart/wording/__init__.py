"""Scopes in words for the person who is asked."""
