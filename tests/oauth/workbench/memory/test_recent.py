"""A memory that forgets what it was told longest ago."""

from oauth.workbench.memory.recent import Recent


def test_what_was_put_longest_ago_is_forgotten_first() -> None:
    memory: Recent[str, int] = Recent(2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        memory.put(key, value)

    assert memory.items() == [("a", 3), ("c", 4)]
    assert memory.get("b") is None
