"""The standards as plain Python: no Django, no database, no network, no clock."""
