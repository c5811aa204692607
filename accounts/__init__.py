"""People: who they are, how they sign in, when they may not. Knows no OAuth."""
