"""`make release`: rolls VERSION out on AWS, watches it, and goes back when it is not well.

1. The version that was well last is read from where step 4 writes it down.
2. The new one is rolled out (deploy/aws). ECS itself takes tasks back that never become healthy;
   then this step fails and nothing more is done.
3. It is watched through the entrance for some minutes. Too many looks in a row that find it not
   ready, and the version before is rolled out again. Its migrations stay: the version before must
   run on the newer schema, as it does while versions change.
4. A version that stayed well is written down as the one to go back to.

From the environment: VERSION, AWS_REGION, SETTING, DOMAIN, CERTIFICATE, ALARMS_TO; PUBLIC_URL, if
it is not https://DOMAIN; WATCH_SECONDS (300) and LOOK_SECONDS (5); and what deploy/aws/settings.py
names as WATCHED. Standard library only.
"""

# ruff: noqa: S603, T201
# It runs `aws` and `npx`, and talks to a terminal.

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.aws.settings import WATCHED
from deploy.steps import PROJECT, Failed

CDK = "aws-cdk@2"
TEMPLATES = PROJECT / "deploy" / "aws"
"""Where the CDK finds what it rolls out."""
UNREADY_LOOKS = 6
"""So many in a row: one or two are a task that is being replaced."""
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Release:
    """One rolling out, as the environment tells it."""

    version: str
    region: str
    setting: str
    domain: str
    certificate: str
    alarms_to: str
    watched: Mapping[str, str]
    url: str
    watch_seconds: float
    look_seconds: float

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Release":
        """Raises `Failed` for what is missing."""
        names = ("VERSION", "AWS_REGION", "SETTING", "DOMAIN", "CERTIFICATE")
        if missing := [name for name in names if not environment.get(name)]:
            raise Failed(f"say {', '.join(missing)} in the environment")
        return cls(
            **{name.lower().removeprefix("aws_"): environment[name] for name in names},
            alarms_to=environment.get("ALARMS_TO", ""),
            watched={name: environment[name] for name in WATCHED if environment.get(name)},
            url=environment.get("PUBLIC_URL") or f"https://{environment['DOMAIN']}",
            watch_seconds=float(environment.get("WATCH_SECONDS") or 300),
            look_seconds=float(environment.get("LOOK_SECONDS") or 5),
        )

    def run(self) -> None:
        """All of it; raises `Failed` when the new version is not what runs at the end."""
        before = self.well_last()
        print(f"rolling out {self.version}; well last: {before or 'none'}", flush=True)
        self.roll_out(self.version)
        if self.stays_well():
            self.keep()
            print(f"{self.version} is well", flush=True)
            return
        if before is None:
            raise Failed(f"{self.version} is not well, and there is none to go back to")
        print(f"{self.version} is not well: back to {before}", flush=True)
        self.roll_out(before)
        raise Failed(f"{self.version} was not well; {before} runs again")

    def well_last(self) -> str | None:
        """None at the first release."""
        known = ("aws", "ssm", "get-parameters", "--names", self.parameter, "--region", self.region)
        said = told([*known, "--query", "Parameters[].Value", "--output", "text"]).strip()
        return said or None

    def keep(self) -> None:
        what = ("--name", self.parameter, "--value", self.version, "--type", "String")
        told(["aws", "ssm", "put-parameter", *what, "--overwrite", "--region", self.region])

    @property
    def parameter(self) -> str:
        return f"/eqtrade/{self.setting}/version"

    def roll_out(self, version: str) -> None:
        said = {
            "setting": self.setting,
            "region": self.region,
            "domain": self.domain,
            "certificate": self.certificate,
            "alarms_to": self.alarms_to,
            "version": version,
            **{name.lower(): value for name, value in self.watched.items()},
        }
        context = [part for name, value in said.items() for part in ("-c", f"{name}={value}")]
        deploy = ("deploy", f"eqtrade-{self.setting}", "--require-approval", "never")
        told(["npx", "--yes", CDK, *deploy, *context], TEMPLATES)

    def stays_well(self) -> bool:
        """Whether it was ready all the while, but for moments."""
        deadline = time.monotonic() + self.watch_seconds
        unready = 0
        while True:
            why = self.complaint()
            unready = unready + 1 if why else 0
            if why:
                print(f"  not ready ({unready}): {why}", flush=True)
            if unready >= UNREADY_LOOKS:
                return False
            # At its end it must be ready, not about to be.
            if time.monotonic() > deadline and not unready:
                return True
            time.sleep(self.look_seconds)

    def complaint(self) -> str:
        """What is wrong with the answer of /readyz; nothing when all is well."""
        try:
            with urllib.request.urlopen(  # noqa: S310 - the address is our own system's
                f"{self.url}/readyz", timeout=TIMEOUT_SECONDS
            ):
                return ""
        except (OSError, urllib.error.URLError) as error:
            return str(error)


def told(command: Sequence[str], folder: Path = PROJECT) -> str:
    """What a command said; raises `Failed` when it fails."""
    sys.stdout.flush()
    try:
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    except OSError as error:
        raise Failed(f"{command[0]} can't be run: {error.strerror}") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(command[:4])} failed with {done.returncode}")
    return done.stdout
