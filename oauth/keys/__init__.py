"""The keys that sign tokens, and how they take turns."""
