"""Examples below the help of a verb."""


def examples(*lines: str) -> str:
    """As an epilog, each line as it is typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
