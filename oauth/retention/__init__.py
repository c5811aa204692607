"""What is kept for how long: sweeping and forgetting."""
