"""The authorization endpoint: what an app asks, step by step with the person, up to the code or the refusal."""
