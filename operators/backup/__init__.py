"""Backups of both databases, and a restore after which nothing lives that may have ended since."""
