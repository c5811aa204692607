"""What decides about tokens: how long they live, whether they are alive, where they are used, what they say."""
