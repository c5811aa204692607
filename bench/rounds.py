"""The sides take turns in short rounds, so that whatever else the machine does falls on all of them."""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import ROOT
from bench.sides import Side

LOAD_CORE = "1"
WARM_UP = 0.5


@dataclass(frozen=True)
class Round:
    """What one side did in one round. Times are milliseconds, CPU is microseconds a request."""

    rate: float
    p50: float
    p99: float
    server_cpu: float
    database_cpu: float
    load_busy: float

    @property
    def cpu(self) -> float:
        return self.server_cpu + self.database_cpu


@dataclass(frozen=True)
class Turns:
    """A side and its rounds; the rounds of all sides with one number were beside each other."""

    side: Side
    rounds: list[Round]


def take_turns(sides: list[Side], folder: Path, options: argparse.Namespace) -> list[Turns]:
    """All rounds of all sides, each told as it ends."""
    for side in sides:  # uncounted: V8 compiles what is hot, PostgreSQL reads its pages
        measure(side, folder, connections=options.connections, seconds=options.seconds + 1)
    turns = [Turns(side, []) for side in sides]
    for number in range(1, options.rounds + 1):
        for side, rounds in ((each.side, each.rounds) for each in turns):
            rounds.append(measure(side, folder, connections=options.connections, seconds=options.seconds))
        told = ", ".join(f"{each.side.name} {each.rounds[-1].rate:,.0f}/s" for each in turns)
        print(f"round {number}: {told}", file=sys.stderr, flush=True)
    return turns


def measure(side: Side, folder: Path, *, connections: int, seconds: float) -> Round:
    """One round. Raises SystemExit at a wrong answer."""
    name, contender, what = side
    plan = folder / "plan.json"
    plan.write_text(json.dumps(contender.load_plan(what, seconds + WARM_UP)), encoding="utf-8")
    load = [sys.executable, "-m", "bench.load", str(plan), str(connections), str(WARM_UP), str(seconds)]
    before = contender.cpu_seconds()
    done = subprocess.run(["taskset", "-c", LOAD_CORE, *load], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    after = contender.cpu_seconds()
    result = json.loads(done.stdout)
    if result["wrong"] or not result["requests"]:
        raise SystemExit(f"{name}: {result['wrong']} wrong answers, such as {result['first_wrong']}")
    rate = result["requests"] / result["seconds"]
    answered = rate * (result["seconds"] + WARM_UP)
    server, database = (1e6 * (late - early) / answered for early, late in zip(before, after, strict=True))
    return Round(rate, result["p50"], result["p99"], server, database, result["busy"])
