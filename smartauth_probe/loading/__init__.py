"""Records that the probe makes: two patients for a server that has none, and how all that was made is deleted."""
