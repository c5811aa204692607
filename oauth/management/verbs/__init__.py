"""What the commands of this package take, by subject."""
