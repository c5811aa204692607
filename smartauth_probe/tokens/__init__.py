"""Where the tokens of a run come from: a development smartauth, another authorization server, or who runs the probe."""
