"""supervisor, the library that owns the children: its settings, and talking to it.

It restarts a child that dies at once if the child had run for a while. A child that does not
come up is retried after 1, 2, 3, … seconds, and after `START_RETRIES` of them it is given up as
FATAL, for good. Waiting ever longer or for ever would both leave a system that does not mend
itself, so a FATAL child gets a new round of retries, from `restart_given_up`.
"""

import http.client
import os
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eqtrade.up.files import tail
from eqtrade.up.layout import Layout
from eqtrade.up.programs import Program

START_RETRIES = 5
STOP_MARGIN = 5
"""Seconds beyond a program's own that its stopping may take."""

ALREADY_STARTED, NOT_RUNNING = 60, 70  # supervisor.xmlrpc.Faults


class SupervisorFailed(RuntimeError):
    """The supervisor does not start or does not answer."""


@dataclass(frozen=True)
class ProgramState:
    """What the supervisor says about one program; pid 0 when it has none."""

    name: str
    state: str
    pid: int
    exit_status: int
    problem: str


class Supervisor:
    """The supervisor of one stack."""

    def __init__(self, layout: Layout, programs: Iterable[Program]) -> None:
        self.layout = layout
        self.programs = {program.name: program for program in programs}
        self.log = layout.logs / "supervisord.log"
        self._socket = layout.socket("supervisor")
        self._process: subprocess.Popen[bytes] | None = None
        self._log_starts: dict[str, int] = {}

    def start(self, environment: Mapping[str, str], *, seconds: float = 20) -> int:
        """Start the supervisor with no program running yet; returns its pid.

        The programs get `environment`.
        """
        settings = self.layout.run / "supervisord.conf"
        settings.write_text(settings_text(self.layout, self._socket, self.programs.values()))
        # Until it has a log of its own, and for what Python itself has to say.
        with self.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(settings)],
                cwd="/",
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C must not reach it, and leftovers are known by it.
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while True:
            try:
                self._call("getPID")
                return process.pid
            except (OSError, http.client.HTTPException) as error:
                if not self.lives() or time.monotonic() > deadline:
                    raise SupervisorFailed(
                        f"The supervisor does not answer: {error}\n{tail(self.log)}"
                    ) from error
            time.sleep(0.05)

    def lives(self) -> bool:
        """Whether the supervisor's process runs."""
        return self._process is not None and self._process.poll() is None

    def start_program(self, name: str) -> None:
        """Start a program, without waiting for it to be ready."""
        self._log_starts.setdefault(name, _size(self.log_of(name)))
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != ALREADY_STARTED:
                raise SupervisorFailed(f"{name} can't be started: {fault.faultString}") from fault

    def log_of(self, name: str) -> Path:
        """A program's log."""
        return self.layout.logs / f"{name}.log"

    def said(self, name: str) -> str:
        """What a program wrote since this supervisor first started it."""
        try:
            with self.log_of(name).open("rb") as log:
                log.seek(self._log_starts.get(name, 0))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    def states(self) -> list[ProgramState]:
        """All programs as they are now; raises `SupervisorFailed` when it does not answer."""
        try:
            infos = cast(list[dict[str, Any]], self._call("getAllProcessInfo"))
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise SupervisorFailed(f"The supervisor does not answer: {error}") from error
        return [
            ProgramState(
                name=info["name"],
                state=info["statename"],
                pid=info["pid"],
                exit_status=info["exitstatus"],
                problem=info["spawnerr"],
            )
            for info in infos
        ]

    def restart_given_up(self, states: Iterable[ProgramState]) -> None:
        """Give every program that supervisor gave up as FATAL a new round of retries."""
        for program in states:
            if program.state == "FATAL":
                self.start_program(program.name)

    def stop_all(self) -> None:
        """Stop the entrance, then our programs all at once, then the servers, then supervisor.

        Returns when its process is gone. A second call does nothing.
        """
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            try:
                for stage in ("entrance", "application", "server"):
                    self._stop_stage(stage)
                self._call("shutdown")
            except (OSError, http.client.HTTPException, xmlrpc.client.Error, SupervisorFailed):
                process.terminate()
            limit = sum(program.stop_seconds for program in self.programs.values()) + STOP_MARGIN
            try:
                process.wait(limit)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._process = None

    def _stop_stage(self, stage: str) -> None:
        programs = [one for one in self.programs.values() if one.stage == stage]
        for program in programs:
            try:
                self._call("stopProcess", program.name, False)
            except xmlrpc.client.Fault as fault:
                if fault.faultCode != NOT_RUNNING:
                    raise
        names = {program.name for program in programs}
        limit = max((program.stop_seconds for program in programs), default=0) + STOP_MARGIN
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if not any(one.pid for one in self.states() if one.name in names):
                return
            time.sleep(0.05)

    def _call(self, method: str, *arguments: object) -> object:
        proxy = xmlrpc.client.ServerProxy(
            "http://supervisor/RPC2", transport=_UnixTransport(self._socket)
        )
        with proxy:
            return getattr(proxy.supervisor, method)(*arguments)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> http.client.HTTPConnection:
        return _UnixConnection(self._path)


def settings_text(layout: Layout, rpc_socket: Path, programs: Iterable[Program]) -> str:
    """The supervisor's settings file."""
    sections = {
        "unix_http_server": {"file": str(rpc_socket), "chmod": "0600"},
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface"),
        },
        "supervisord": {
            "logfile": str(layout.logs / "supervisord.log"),
            "logfile_maxbytes": "5MB",
            "logfile_backups": "2",
            "pidfile": str(layout.run / "supervisord.pid"),
            "childlogdir": str(layout.logs),
            "identifier": f"eqtrade-{layout.key}",
            "silent": "true",
            **({"user": "root"} if os.geteuid() == 0 else {}),
        },
        **{f"program:{program.name}": _program(layout, program) for program in programs},
    }
    return "\n".join(
        f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in _escaped(values).items())
        for section, values in sections.items()
    )


def _program(layout: Layout, program: Program) -> dict[str, str]:
    environment = ",".join(f'{key}="{value}"' for key, value in program.environment.items())
    return {
        "command": shlex.join(program.command),
        "directory": str(program.directory),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(program.start_seconds),
        "startretries": str(START_RETRIES),
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_seconds),
        "killasgroup": "true",
        "redirect_stderr": "true",
        # supervisor expands this one twice.
        "stdout_logfile": str(layout.logs / f"{program.name}.log").replace("%", "%%"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
        **({"environment": environment} if environment else {}),
        **({"user": program.user} if program.user else {}),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _escaped(values: Mapping[str, str]) -> dict[str, str]:
    """The file's own variables begin with %."""
    return {key: value.replace("%", "%%") for key, value in values.items()}
