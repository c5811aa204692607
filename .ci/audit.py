"""Known vulnerabilities in the locked packages, and a loud word where they could not be looked up."""

import json
import subprocess
import sys
from typing import Any

LOCK = "requirements/dev.txt"  # holds what base.txt holds
PATIENCE = 300
COMMAND = [
    *(sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "10"),
    *("--disable-pip", "--require-hashes", "--requirement", LOCK),
]


def audited() -> tuple[list[dict[str, Any]], str]:
    """What pip-audit says about each package, or why it could say nothing."""
    try:
        done = subprocess.run(COMMAND, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return [], f"no answer within {PATIENCE} s"
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return [], (done.stderr.strip().splitlines() or ["no output"])[-1][:300]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    return packages, f"no answer for {len(unknown)} of {len(packages)}: {', '.join(unknown[:5])} ..." if unknown else ""


def main() -> int:
    """1 where a vulnerability is known. A look-up that did not happen is said loudly and is no failure."""
    packages, unchecked = audited()
    known = [(package, found) for package in packages for found in package.get("vulns", ())]
    for package, found in known:
        fixed = ", ".join(found["fix_versions"]) or "no release yet"
        print(f"pip-audit: {package['name']} {package['version']}: {found['id']}, fixed in {fixed}")
    print(f"pip-audit: NOT CHECKED ({unchecked})" if unchecked else f"pip-audit: {len(packages)} packages looked up")
    return int(bool(known))


if __name__ == "__main__":
    raise SystemExit(main())
