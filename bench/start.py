"""How long `smartauth dev` takes to answer: the first time, when it makes its databases and demo data, and again."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from bench.contenders import ROOT, free_port, memory_mib

SECONDS = 300  # at most, on a machine that does much else
COMMAND = [sys.executable, "-c", "from smartauth.command_line.main import main; main()", "dev"]


def start_table(folder: Path) -> str:
    """In a folder of its own, on SQLite. The very first is not counted: it compiles, as an installation does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    _seconds(folder / "compiling", free_port(), environment)
    port = free_port()  # the same for both: the demo is a part of its address
    lines = ["| `smartauth dev` | answers after, s | MiB |", "|---|---|---|"]
    for name in ("the first time, with databases and demo data to make", "again"):
        took, memory = _seconds(folder / "started", port, environment)
        lines.append(f"| {name} | {took:.1f} | {memory:.0f} |")
    return "\n".join(lines)


def _seconds(data: Path, port: int, environment: dict[str, str]) -> tuple[float, float]:
    """From the command to the first answer of introspection's side, and the memory of the process then."""
    own = {"SMARTAUTH_DATA_DIR": str(data), "SMARTAUTH_PORT": str(port), "SMARTAUTH_ISSUER": f"http://127.0.0.1:{port}"}
    data.mkdir(mode=0o700, exist_ok=True)
    began = time.monotonic()
    with (data / "bench.log").open("wb") as said:
        process = subprocess.Popen(COMMAND, stdout=said, stderr=said, env={**environment, **own}, cwd=ROOT)
    try:
        while not _answers(port):
            if process.poll() is not None or time.monotonic() - began > SECONDS:
                raise SystemExit(f"smartauth dev does not answer:\n{(data / 'bench.log').read_text()[-2000:]}")
            time.sleep(0.02)
        return time.monotonic() - began, memory_mib(process.pid)
    finally:
        process.terminate()
        process.wait(SECONDS)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
