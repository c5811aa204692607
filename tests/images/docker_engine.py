"""Debian's Docker, for the tests alone: its containers, ports and rules lie in a network of its own.

No registry of images is asked: what the files in docker/ name is made of Debian's packages (stand_ins/Dockerfile).
"""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.images import builder
from tests.running import ROOT
from tests.terminal import Terminal
from tests.waiting import wait_until

PACKAGES = ("docker.io", "docker-compose", "slirp4netns")
TUNNEL = Path("/dev/net/tun")
# where systemd in a container makes groups which Docker does not know
GROUPS = Path("/sys/fs/cgroup/unified/docker")
STAND_INS = Path(__file__).parent / "stand_ins"
IMAGES = {
    "python": "python:3.11-slim-bookworm", "machine": "machine", "nginx": "nginx:1.22", "postgres": "postgres:15",
    "redis": "redis:7", "fhir": "my-fhir-server",
}  # fmt: skip
APART = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
# those that somebody has mounted together, as systemd does in another container, are mounted together or not at all
CONTROLLERS = """\
$4 == 1 && $2 > 0 { together[$2] = together[$2] "," $1 }
END { for (hierarchy in together) print substr(together[hierarchy], 2) }
"""
# control groups are mounted as Debian's cgroupfs-mount does it, unless there is the one hierarchy of version 2
SCRIPT = """\
mount --make-rprivate /
mount -t tmpfs tmpfs /run
if [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; then
  mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  for each in $(awk "$CONTROLLERS" /proc/cgroups); do
    mkdir "/sys/fs/cgroup/$each" && mount -t cgroup -o "$each" cgroup "/sys/fs/cgroup/$each"
  done
  mkdir /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
fi
ip link set lo up
until ip link show tap0 up >/dev/null 2>&1; do sleep 0.05; done
rm -rf "$PLACE/exec"
dockerd --host="unix://$PLACE/socket" --data-root="$PLACE/engine" --exec-root="$PLACE/exec" --pidfile=/run/docker.pid &
trap 'kill %1; wait' TERM
wait
"""
# `docker compose` is a plugin of Docker's command; Debian has it as a command of its own
PLUGIN = """\
#!/bin/sh
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion": "0.1.0", "Vendor": "Debian", "Version": "1"}'
else
  shift
  exec docker-compose "$@"
fi
"""


def make_tunnel_device() -> None:
    """What slirp4netns opens, where no service has made it: in a container."""
    if not TUNNEL.exists():
        TUNNEL.parent.mkdir(exist_ok=True)
        os.mknod(TUNNEL, stat.S_IFCHR | 0o600, os.makedev(10, 200))


def remove_empty_groups(place: Path = GROUPS) -> None:
    """Control groups of containers in which nothing runs any more; of others not one."""
    for group in [each for each in place.glob("*") if each.is_dir()]:
        with suppress(OSError):  # somebody else has removed it, or a process is in it again
            if "populated 0" in (group / "cgroup.events").read_text().splitlines():
                for folder, _, _ in os.walk(group, topdown=False):
                    Path(folder).rmdir()


class Engine:
    """Between `start` and `stop` nobody else of this run has it. Its images stay where the other images lie."""

    def __init__(self) -> None:
        self.place = builder.place() / "docker"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.place.mkdir(exist_ok=True)
        self._alone = (self.place / "lock").open("w")

    def start(self) -> "Engine":
        for needed in ("dockerd", "docker-compose", "slirp4netns"):
            assert shutil.which(needed), f"{needed} is needed (Debian: apt-get install {' '.join(PACKAGES)})"
        fcntl.flock(self._alone, fcntl.LOCK_EX)
        self._begin(*APART, "bash", "-euc", SCRIPT)
        assert wait_until(lambda: self._inside() > 0), self._written()
        make_tunnel_device()
        self._begin("slirp4netns", "--configure", "--mtu=1500", "--disable-host-loopback", str(self._inside()), "tap0")
        self._set_up_the_command()
        is_up = wait_until(lambda: self.run("docker", "version", check=False).returncode == 0, within=180)
        assert is_up, self._written()
        self._forget_containers()  # of a run that was killed
        remove_empty_groups()
        if not (self.place / "images").exists():
            self._make_images()
            (self.place / "images").touch()
        return self

    def _begin(self, *command: str) -> None:
        environment = {**os.environ, "PLACE": str(self.place), "CONTROLLERS": CONTROLLERS}
        with (self.place / "log").open("ab") as log:
            begun = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._processes.append(begun)

    def _written(self) -> str:
        return (self.place / "log").read_text(encoding="utf-8")

    def _set_up_the_command(self) -> None:
        """Debian's, if there are others, with its plugin."""
        plugin, command = self.place / "config/cli-plugins/docker-compose", self.place / "bin/docker"
        for file in (plugin, command):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
        plugin.write_text(PLUGIN, encoding="utf-8")
        plugin.chmod(0o755)
        command.symlink_to("/usr/bin/docker")

    def _make_images(self) -> None:
        packed = builder.packed_base(self.place / "base.tar")
        self.run("docker", "load", "--input", str(packed))
        packed.unlink()
        self.run("docker", "tag", builder.base_name(), "debian")
        context = self.place / "context"
        shutil.copytree(STAND_INS, context, dirs_exist_ok=True)
        shutil.copy(builder.CERTIFICATES, context / "certificates.crt")
        shutil.copy(builder.pip_settings(), context / "pip.conf")
        shutil.copy(ROOT / "demo/stranger/server.py", context)
        for target, name in IMAGES.items():
            self.run("docker", "build", "--quiet", "--target", target, "--tag", name, str(context), seconds=900)

    def _forget_containers(self) -> None:
        for listed, remove in (
            (["ps", "--quiet", "--all"], ["rm", "--force"]),
            (["volume", "ls", "--quiet"], ["volume", "rm"]),
        ):
            if found := self.run("docker", *listed).stdout.split():
                self.run("docker", *remove, *found)
        self.run("docker", "network", "prune", "--force")

    def stop(self) -> None:
        """Every container is killed; no volume stays. Also of what began in part, or never."""
        try:
            if self._processes:
                with suppress(AssertionError):  # it did not come up
                    self._forget_containers()
        finally:
            self._end_processes()
            self._alone.close()

    def _end_processes(self) -> None:
        for engine in self._processes[:1]:
            with suppress(OSError, subprocess.TimeoutExpired):
                os.kill(self._inside() or engine.pid, signal.SIGTERM)
                engine.wait(60)
        for process in self._processes:
            process.kill()
            process.wait()

    def _inside(self) -> int:
        """The first process of its own network, by its number outside; 0 before there is one."""
        parent = self._processes[0].pid
        with suppress(OSError):
            found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            if found and os.readlink(f"/proc/{found[0]}/ns/net") != os.readlink("/proc/self/ns/net"):
                return int(found[0])
        return 0

    @property
    def environment(self) -> dict[str, str]:
        """As a shell has it that knows nothing of this run. BuildKit is what every newer Docker builds with."""
        usual = {name: value for name, value in os.environ.items() if not name.startswith("SMARTAUTH_")}
        return {
            **usual,
            "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{self.place / 'socket'}",
            "DOCKER_CONFIG": str(self.place / "config"),
            "DOCKER_BUILDKIT": "1",
            "COMPOSE_DOCKER_CLI_BUILD": "1",
        }

    def command(self, *command: str) -> list[str]:
        """The same, run where the ports of the containers are."""
        return ["nsenter", f"--target={self._inside()}", "--net", *command]

    def run(
        self, *command: str, check: bool = True, seconds: float = 300, cwd: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*command), env=self.environment, cwd=cwd, capture_output=True, text=True, timeout=seconds
        )
        assert not check or done.returncode == 0, f"{command} failed: {done.stdout}{done.stderr}"
        return done

    def terminal(self, script: str, *, cwd: Path = ROOT, inside: str = "", **environment: str) -> Terminal:
        """A script in a terminal: of this machine, or as root of that container."""
        shell = ["docker", "exec", "-it", inside, "bash", "-euxc", script] if inside else ["bash", "-euxc", script]
        return Terminal(self.command(*shell), cwd, {**self.environment, **environment})
