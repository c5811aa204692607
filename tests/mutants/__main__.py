"""`make mutants PACKAGE=name`: breaks the code of a package line by line and runs the tests that must notice.

Results are kept in var/mutants/NAME (MUTANTS_DIR): a run that was stopped goes on where it was, a changed function is
tried anew, and so is what survived. Without a name: the score of what was run. A survivor that is not in accepted.toml
ends the command with 1, and so does what stands there and is no survivor any more; `--document` writes that list and
the score into the documentation.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.mutants import results, survivors
from tests.mutants.results import PACKAGES, ROOT, STORE
from tests.tracked import tracked_files

APPS = ["accounts", "audit", "fhir", "introspection", "oauth", "operators", "smart", "smartauth"]
HEAVY = "not (browser or race or kill or fuzz or clients or postgresql)"
MEMORY = Path("/dev/shm")  # a commit there waits for no disk


def run(name: str, only: list[str]) -> int:
    """Tries what was not tried yet; `only` names mutants as mutmut does (fnmatch)."""
    copy = STORE / name
    _forget_other_operators(copy)
    _forget_survivors(name)
    _copy_to(copy)
    _configure(copy, PACKAGES[name])
    command = [sys.executable, "tests/mutants/mutmut_here.py", "run", "--max-children", "1", *only]
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=MEMORY if MEMORY.is_dir() else None) as data:
        environment = {**os.environ, "SMARTAUTH_DATA_DIR": data}
        failed = subprocess.run(command, cwd=copy, env=environment, check=False).returncode
    return failed or results.check([name])


def _forget_other_operators(copy: Path) -> None:
    """Mutants are numbered: with other operators the number of a result means another mutant."""
    operators = Path("tests/mutants/mutmut_here.py")
    if not (copy / operators).exists() or (copy / operators).read_bytes() != (ROOT / operators).read_bytes():
        shutil.rmtree(copy / "mutants", ignore_errors=True)


def _copy_to(copy: Path) -> None:
    """The tracked files as they are now; a file that did not change keeps its time, so its mutants are kept."""
    names = tracked_files(also_new=True)
    for name in names:
        for target in (copy / name, *([copy / "mutants" / name] if not name.endswith(".py") else [])):
            if not target.exists() or target.read_bytes() != (ROOT / name).read_bytes():
                if name.endswith(".py") and not name.startswith("tests/"):  # which tests touch which function
                    (copy / "mutants/mutmut-stats.json").unlink(missing_ok=True)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, target)
    gone = {path for app in [*APPS, "tests"] for path in copy.glob(f"{app}/**/*.py")} - {copy / name for name in names}
    for path in gone:
        path.unlink()
        for ending in ("", ".meta"):
            (copy / "mutants" / f"{path.relative_to(copy)}{ending}").unlink(missing_ok=True)


def _configure(copy: Path, package: dict[str, list[str]]) -> None:
    """mutmut reads pyproject.toml of the folder that it runs in."""
    settings: dict[str, Any] = {
        "source_paths": APPS,
        "only_mutate": package["code"],
        "do_not_mutate": ["*/migrations/*", *package.get("without", [])],
        "also_copy": sorted(path.name for path in copy.iterdir() if path.name not in {*APPS, "mutants"}),
        "pytest_add_cli_args_test_selection": package["tests"],
        "pytest_add_cli_args": ["-p", "tests.mutants.plugin", "-p", "no:cacheprovider", "-m", HEAVY],
        "process_isolation": "forkserver",
        "use_git_change_detection": False,
        "on_dependency_change": "ignore",
        "timeout_constant": 20.0,
        "timeout_multiplier": 6.0,
    }
    table = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
    own = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (copy / "pyproject.toml").write_text(f"{own}\n[tool.mutmut]\n{table}", encoding="utf-8")


def _forget_survivors(name: str) -> None:
    """What survived and is not accepted is tried anew."""
    new = {mutant for mutant, found in results.survivors_of(name).items() if not survivors.is_accepted(found)}
    new |= {mutant for mutant, code in results.codes(name).items() if results.verdict(code) == "timeout"}
    for meta in results.metas(name):
        kept = json.loads(meta.read_text(encoding="utf-8"))
        found = kept["exit_code_by_key"]
        kept["exit_code_by_key"] = {key: None if key in new else code for key, code in found.items()}
        meta.write_text(json.dumps(kept), encoding="utf-8")


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            print(results.score())  # noqa: T201
            return max(results.check(PACKAGES), results.check_list())
        case ["--show", name] if name in PACKAGES:
            results.show(sorted(results.survivors_of(name).values()))
        case ["--document"]:
            survivors.document(results.score_table)
        case [name, *only] if name in PACKAGES:
            return run(name, only)
        case _:
            print(f"One of: {', '.join(PACKAGES)}", file=sys.stderr)  # noqa: T201
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
