"""One compose project of its own: its name, its secrets, its port; no other one is touched."""

import hashlib
import json
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from deploy.images import LIST, OVER, Listed, contexts
from eqtrade.up.options import PROJECT
from tests.stack.running import free_port

FILES = ("docker-compose.yml",)
LOG_KEPT = "deploy/compose.pitr.yml"
BASE_BUILDS: Mapping[str, Sequence[str]] = {
    "eqtrade": ("--target", "app"),
    "eqtrade-nginx": ("--target", "nginx"),
}
"""The images that docker-compose.yml names, and how `docker build` makes them."""
BUILDS = {**BASE_BUILDS, "eqtrade-postgres": ("-f", "deploy/backup/Dockerfile")}
"""With `LOG_KEPT`, the same."""
OWN_VERSION = "compose-test"
ONCE = ("roles", "migrate")
HEALTH_SECONDS = 400


class Failed(AssertionError):
    """A step did not come out as it must; the message says what was seen."""


@dataclass(frozen=True)
class Container:
    """One line of `docker compose ps`."""

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int

    @property
    def is_well(self) -> bool:
        if self.service in ONCE:
            return self.state == "exited" and self.exit_code == 0
        return self.state == "running" and self.health == "healthy"


class Project:
    """`docker compose` with this project's name and environment. `files` are those of the checkout
    that are joined, `builds` the images that they name, `more` is their environment's. With
    `digests` the images of others are what deploy/images.json says, and not what a tag is here."""

    def __init__(
        self,
        files: Sequence[str] = FILES,
        builds: Mapping[str, Sequence[str]] = BUILDS,
        more: Mapping[str, str] = MappingProxyType({}),
        *,
        digests: bool = False,
    ) -> None:
        self._builds, self._digests = builds, digests
        self._files: list[str] = []
        for file in files:
            self.join(file)
        self.name = f"eqtrade-test-{os.getpid()}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._home = tempfile.TemporaryDirectory(prefix="eqtrade-compose-")
        self.env_file = Path(self._home.name) / "env"
        self.secrets_dir = Path(self._home.name) / "secrets"
        self._write_secrets()
        values = {
            "SECRETS_DIR": str(self.secrets_dir),
            "PUBLIC_URL": self.url,
            "PUBLISH": f"127.0.0.1:{self.port}",
            "PRICE_SOURCE": "simulated",
            **more,
        }
        self._values = values
        self.version = "latest"
        self._write()
        # Of the caller's environment only what Docker itself needs: no setting of ours gets in.
        kept = ("PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONFIG",
                "DOCKER_CONTEXT", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY")  # fmt: skip
        self._environment = {n: os.environ[n] for n in kept if n in os.environ}

    def _write_secrets(self) -> None:
        """As the operator does; two are awkward on purpose, and must get through URLs, files and
        shells unharmed."""
        self.secrets_dir.mkdir(mode=0o700)
        for name, start in (("runtime_password", "a:b@c/d?e#f%g "), ("redis_password", "a:b@c/d+")):
            file = self.secrets_dir / name
            file.write_text(f"{start}{secrets.token_urlsafe(12)}")
            file.chmod(0o444)
        subprocess.run([PROJECT / "deploy" / "secrets.sh", self.secrets_dir], check=True)

    def _write(self) -> None:
        lines = [f"{name}='{value}'\n" for name, value in self._values.items()]
        self.env_file.write_text("".join([*lines, f"EQTRADE_VERSION='{self.version}'\n"]))

    def join(self, file: str) -> None:
        """Lay a file over those that there are; the next command knows it."""
        self._files.append(file)
        if self._digests and file in OVER:
            self._files.append(OVER[file])

    # --- commands -------------------------------------------------------------------------------

    def compose(self, *arguments: str, env_file: Path | None = None, **more: Any) -> str:
        """Run `docker compose …`; what it printed. Raises Failed when it failed."""
        file = str(env_file or self.env_file)
        named = [part for name in self._files for part in ("-f", str(PROJECT / name))]
        prefix = ("compose", "-p", self.name, *named)
        return self.docker(*prefix, "--env-file", file, *arguments, **more)

    def docker(self, *arguments: str, **more: Any) -> str:
        return self._run(["docker", *arguments], **more)

    def script(self, path: str, *arguments: str, seconds: float = 400) -> str:
        """Run a script of the checkout on this project, as its head says."""
        names = {
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_ENV_FILES": str(self.env_file),
            "COMPOSE_FILE": ":".join(self._files),
        }
        return self._run([str(PROJECT / path), *arguments], seconds=seconds, more=names)

    def _run(
        self,
        command: list[str],
        *,
        code: int = 0,
        seconds: float = 300,
        more: Mapping[str, str] | None = None,
    ) -> str:
        said = " ".join(command)
        try:
            done = subprocess.run(
                command,
                cwd=PROJECT,
                env={**self._environment, **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
            )
        except FileNotFoundError as error:
            raise Failed(f"there is no `{command[0]}` command here") from error
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{said} took over {seconds:.0f} s") from error
        if (done.returncode != 0) != (code != 0):
            raise Failed(f"{said} exited {done.returncode}:\n{done.stdout}")
        return done.stdout

    def manage(self, *arguments: str, **more: Any) -> str:
        """`manage.py` in the running api container."""
        return self.compose("exec", "-T", "api", "python", "manage.py", *arguments, **more)

    def run_once(
        self, service: str, *arguments: str, options: Iterable[str] = (), **more: Any
    ) -> str:
        """`docker compose run` of a job, without what it depends on."""
        return self.compose(
            "run", "--rm", "--no-deps", "-T", "--quiet-pull", *options, service, *arguments, **more
        )

    # --- containers -----------------------------------------------------------------------------

    def containers(self, service: str = "") -> list[Container]:
        lines = self.compose("ps", "--all", "--format", "json", *([service] if service else []))
        rows = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
        found = [
            Container(r["ID"], r["Name"], r["Service"], r["State"], r["Health"], r["ExitCode"])
            for r in rows
        ]
        return sorted(found, key=lambda one: one.name)

    def wait_well(self, *, seconds: float = HEALTH_SECONDS, **replicas: int) -> None:
        """Wait until every container is healthy, or a job that ended well. `replicas` are the
        numbers of containers that a service must have (an underscore stands for the hyphen)."""
        wanted = {name.replace("_", "-"): number for name, number in replicas.items()}
        deadline = time.monotonic() + seconds
        while True:
            found = self.containers()
            ill = [one for one in found if not one.is_well]
            short = [s for s, n in wanted.items() if sum(c.service == s for c in found) != n]
            if found and not ill and not short:
                return
            if time.monotonic() > deadline:
                logs = "".join(self.docker("logs", "--tail", "15", one.id) for one in ill[:4])
                raise Failed(f"not well after {seconds:.0f} s: {ill or short}\n{logs}")
            time.sleep(1)

    # --- images ---------------------------------------------------------------------------------

    @property
    def images(self) -> list[str]:
        return [f"{name}:{self.version}" for name in self._builds]

    def build(self) -> None:
        """Build the images under a version of their own: what is deployed here stays."""
        self.version = OWN_VERSION
        self._write()
        for options, image in zip(self._builds.values(), self.images, strict=True):
            self.docker("build", *options, *self._bases(options), "-t", image, ".", seconds=1800)

    def _bases(self, options: Sequence[str]) -> list[str]:
        if not self._digests:
            return []
        dockerfile = options[options.index("-f") + 1] if "-f" in options else "Dockerfile"
        made = contexts(PROJECT, Listed.read(PROJECT / LIST), dockerfile)
        return [f"--build-context={tag}={image}" for tag, image in made.items()]

    def images_are_of_these_sources(self) -> bool:
        """Whether both images exist, and the Python parts' one holds the checkout's files."""
        try:
            self.docker("image", "inspect", *self.images)
        except Failed:
            return False
        script = (
            "import hashlib, pathlib; found = map(pathlib.Path, open(0).read().splitlines());"
            " all = b''.join(f.read_bytes() for f in found if f.is_file());"
            " print(hashlib.sha256(all).hexdigest())"
        )
        names = "\n".join(self._sources())
        done = subprocess.run(
            ["docker", "run", "--rm", "-i", "--entrypoint", "python", self.images[0], "-c", script],
            env=self._environment,
            input=names,
            capture_output=True,
            text=True,
        )
        ours = hashlib.sha256(b"".join((PROJECT / n).read_bytes() for n in names.split("\n")))
        return done.stdout.strip() == ours.hexdigest()

    def _sources(self) -> list[str]:
        """Every file that decides about the images, as git knows them, in a fixed order."""
        folders = [
            "accounts",
            "audit",
            "blotter",
            "deploy",
            "eqtrade",
            "kernel",
            "pnl",
            "positions",
        ]
        folders += ["prices", "trades", "frontend/src", "frontend/public"]
        files = [f for folder in folders for f in (PROJECT / folder).rglob("*") if f.is_file()]
        more = [PROJECT / "requirements.txt", PROJECT / "manage.py"]
        more += [PROJECT / "frontend" / "package-lock.json"]
        names = [str(f.relative_to(PROJECT)) for f in [*files, *more] if f.suffix != ".pyc"]
        return sorted(names)

    def end(self) -> None:
        self.compose("--profile", "backup", "down", "--volumes", "--remove-orphans", "-t", "10")
        self._home.cleanup()
