"""`python -m tests.drills failover --changes 20000`, or `partition`, or `restore`: what was acknowledged and found."""

import argparse
import sys
import time

from tests.drills.failover import Failover, Partition
from tests.drills.machines import replicated
from tests.drills.restore import Restore
from tests.network import is_possible

DRILLS: dict[str, type[Failover | Restore]] = {"failover": Failover, "partition": Partition, "restore": Restore}


def main() -> int:
    """Nonzero where anything was lost or has come back."""
    parser = argparse.ArgumentParser(prog="python -m tests.drills")
    parser.add_argument("drill", choices=DRILLS)
    parser.add_argument("--changes", type=int, default=1000)
    chosen = parser.parse_args()
    if chosen.drill == "partition" and not is_possible():
        parser.error("partition needs root, who makes the machines and their network")
    drill = DRILLS[chosen.drill](changes=chosen.changes)
    began = time.monotonic()
    with replicated() as machines:
        verdict = drill.run(*machines)
    told = [f"{chosen.drill}: {drill.load.changes:,} state changes, {time.monotonic() - began:.0f} s"]
    told += [drill.summary(), verdict.table(), *(f"wrong: {line}" for line in sorted(set(drill.load.wrong)))]
    sys.stdout.write("\n".join(told) + "\n")
    return int(bool(verdict.lost or verdict.resurrected or drill.load.wrong))


if __name__ == "__main__":
    sys.exit(main())
