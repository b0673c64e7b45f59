"""A WSGI function served beside a stack, from its database, by what serves the stack itself: the
same granian with the same options, behind the same nginx with the same settings."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.rig.stacks import Stack
from eqtrade.up.layout import Layout
from eqtrade.up.nginx import nginx_program
from eqtrade.up.options import PROJECT
from eqtrade.up.programs import Program, application_programs
from tests.stack.running import NOT_INHERITED, free_port

START_SECONDS = 30.0
TARGET = "eqtrade.wsgi:application"


@dataclass(frozen=True)
class Beside:
    """Where it answers, and its processes by part."""

    port: int
    parts: dict[str, int]


@contextmanager
def beside(stack: Stack, target: str, environment: Mapping[str, str]) -> Iterator[Beside]:
    """Serve `module:function`. Its environment is that of the stack's own programs, with this."""
    port = free_port()
    place = Path(tempfile.mkdtemp(prefix="eqtrade-beside-", dir="/tmp"))
    layout = Layout(place)
    with ExitStack() as at_end:
        at_end.callback(shutil.rmtree, place, ignore_errors=True)
        layout.create()
        at_end.callback(shutil.rmtree, layout.sockets, ignore_errors=True)
        (api,) = (p for p in application_programs(layout) if p.name == "api")
        assert TARGET in api.command
        inherited = {n: v for n, v in os.environ.items() if n not in NOT_INHERITED}
        settings = {**inherited, **stack.settings(), **api.environment, **environment}
        server = _start(api, [target if c == TARGET else c for c in api.command], settings, place)
        at_end.callback(_stop, server)
        nginx = nginx_program(layout, port)
        entrance = _start(nginx, nginx.command, inherited, place)
        at_end.callback(_stop, entrance)
        _wait(port, place)
        yield Beside(port, {"api": server.pid, "nginx": entrance.pid})


def _start(
    program: Program, command: list[str], environment: Mapping[str, str], place: Path
) -> "subprocess.Popen[bytes]":
    # Not by launch.py, which ends what a killed predecessor left behind: there is none.
    own = command[4:]
    with (place / f"{program.name}.log").open("wb") as log:
        return subprocess.Popen(
            own,
            cwd=PROJECT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(port: int, place: Path) -> None:
    """Until any answer comes that nginx had from the server."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code < 500:
                return
        except requests.ConnectionError:
            pass
        logs = "\n".join(log.read_text(errors="replace")[-2000:] for log in place.glob("*.log"))
        assert time.monotonic() < deadline, f"it does not answer:\n{logs}"
        time.sleep(0.1)
