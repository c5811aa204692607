"""What was measured, as the Markdown tables of docs/benchmarks.md."""

from collections.abc import Iterable, Iterator
from statistics import median

from bench.rounds import Turns

HEAD = (
    "| | a second, median (lowest to highest) | p50 ms | p99 ms | CPU µs a request: server + database"
    " | ratio of rates | of CPU time |\n|---|---|---|---|---|---|---|"
)


def table(turns: list[Turns]) -> str:
    """A row for each side; the ratios are the first one's to this one's, and the medians of those of single rounds."""
    return "\n".join([HEAD, *(_row(turns[0], each) for each in turns)])


def measured(turns: Turns) -> str:
    """What was measured of a side: the row of a table without its end."""
    rounds = turns.rounds
    rate = spread((each.rate for each in rounds), ",.0f")
    p50, p99 = (median(values) for values in ([each.p50 for each in rounds], [each.p99 for each in rounds]))
    server, database = (median(each.server_cpu for each in rounds), median(each.database_cpu for each in rounds))
    return f"| {turns.side.name} | {rate} | {p50:.1f} | {p99:.1f} | {server:,.0f} + {database:,.0f} |"


def _row(first: Turns, turns: Turns) -> str:
    ratios = " | ".join(_ratios(first, turns)) if turns is not first else " | "
    return f"{measured(turns)} {ratios} |"


def _ratios(first: Turns, turns: Turns) -> Iterator[str]:
    pairs = list(zip(first.rounds, turns.rounds, strict=True))
    yield bold(spread((mine.rate / theirs.rate for mine, theirs in pairs), ".2f"))
    yield bold(spread((theirs.cpu / mine.cpu for mine, theirs in pairs), ".2f"))


def bold(text: str) -> str:
    """The median bold, its spread not."""
    middle, _, rest = text.partition(" ")
    return f"**{middle}** {rest}"


def spread(values: Iterable[float], form: str) -> str:
    """Median (lowest to highest): single rounds on a shared machine vary."""
    found = list(values)
    return f"{median(found):{form}} ({min(found):{form}} to {max(found):{form}})"


def load_busy(turns: list[Turns]) -> str:
    """That the load generator was not the limit."""
    busy = max(one.load_busy for each in turns for one in each.rounds)
    return f"The load generator's core was busy with it at most {busy:.0%} of a round."
