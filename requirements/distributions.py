"""`make dist`: wheels and sdists of all that is installed by pip, and what is in smartauth, into dist/ or FOLDER.

What hatchling builds depends on the tree alone: the same commit gives the same bytes anywhere.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

from requirements.bill_of_materials import bill_of_materials

ROOT = Path(__file__).resolve().parent.parent
PROJECTS = (ROOT, ROOT / "smartauth_probe", ROOT / "clients/python")


def build(folder: Path) -> None:
    """Writes them all into that folder, where nothing of another version may lie."""
    for project in PROJECTS:
        command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder.resolve())]
        subprocess.run(command, cwd=project, check=True, capture_output=True)  # noqa: S603  # our own interpreter
    (wheel,) = folder.glob("smartauth-*.whl")
    (folder / f"{wheel.stem.partition('-py3')[0]}.cdx.json").write_text(bill_of_materials(wheel), encoding="utf-8")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"
    build(folder)
    for file in sorted(folder.iterdir()):
        sys.stdout.write(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n")
