"""Starts, keeps and stops the whole stack, in the order that its parts need."""

import os
import shutil
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote, urlsplit

from eqtrade.up.accounts import server_account
from eqtrade.up.commands import Command, StepFailed
from eqtrade.up.environment import application_environment, published
from eqtrade.up.files import tail
from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import ProcessFile, end_leftovers, read_processes
from eqtrade.up.lock import only_stack
from eqtrade.up.nginx import nginx_program
from eqtrade.up.options import DEMO_USERS, Options
from eqtrade.up.programs import application_programs, stream_program, streams
from eqtrade.up.progress import say, step
from eqtrade.up.readiness import wait_ready
from eqtrade.up.runtime import load_secrets, publish_environment
from eqtrade.up.servers import Servers, prepare_servers
from eqtrade.up.signals import ignore_signals
from eqtrade.up.supervision import ProgramState, Supervisor
from eqtrade.up.unchanged import Stamp, schema_state, static_state
from eqtrade.up.watch import Watch

LOOK_SECONDS = 1.0
RETRY_SECONDS = 15
"""How long a program that supervisor gave up rests before its next round of retries."""


class Stack:
    """One stack. `run` returns only by an exception, and then nothing of it runs any more."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.layout = Layout(options.data_dir)
        self.processes = ProcessFile(self.layout.processes)
        self._static_stamp = Stamp(self.layout.run / "static")
        self._schema_stamp = Stamp(self.layout.run / "schema")

    def run(self) -> None:
        """Start everything, say so, and watch until an exception (a signal, most often)."""
        began = time.monotonic()
        self.layout.create()
        with ExitStack() as at_end:
            # First of all: what runs under somebody else's lock is no leftover.
            at_end.enter_context(only_stack(self.layout.lock, self.options.url))
            self._clear_leftovers()
            at_end.callback(self.processes.clear)
            at_end.callback(shutil.rmtree, self.layout.sockets, ignore_errors=True)
            self._check_port()
            supervisor = self._start(at_end)
            self._announce(time.monotonic() - began)
            self._watch(supervisor)

    def _clear_leftovers(self) -> None:
        left = end_leftovers(read_processes(self.layout.processes), self._postgres_data())
        if left:
            say(f"  ended what the previous run left behind: {', '.join(sorted(set(left)))}")
        self.layout.environment.unlink(missing_ok=True)
        # Sockets that a killed run left would look like programs that are up.
        shutil.rmtree(self.layout.sockets, ignore_errors=True)
        self.layout.create()

    def _postgres_data(self) -> Path | None:
        if self.options.database_url is not None:
            return None
        return self.layout.postgres(server_account())

    def _check_port(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.options.port))
            except OSError as error:
                raise StepFailed(
                    f"port {self.options.port} of 127.0.0.1 can't be used ({error.strerror}). "
                    "Set PORT to another one."
                ) from error

    def _start(self, at_end: ExitStack) -> Supervisor:
        secrets = load_secrets(self.layout)
        servers = prepare_servers(self.options, self.layout, secrets)
        environment = application_environment(
            self.options, self.layout, servers, secrets["django"], os.environ
        )
        supervisor = Supervisor(
            self.layout,
            [
                *servers.programs(),
                *application_programs(self.layout),
                *([stream_program()] if streams(environment) else []),
                nginx_program(self.layout, self.options.port),
            ],
        )
        at_end.callback(self._stop, supervisor)
        with step("supervisor"):
            self.processes.record("supervisord", pid := supervisor.start(environment))
        static = self._begin_static(at_end, environment)
        servers.start(supervisor)
        publish_environment(self.layout, pid, published(environment, servers))
        self._migrate(servers, environment)
        if static is not None:
            with step("static files"):
                static.finish()
            self._static_stamp.keep(static_state())
        self._seed(environment)
        with step("api, ws, workers, beat, flower, nginx"):
            for program in supervisor.programs.values():
                if program.stage != "server":
                    supervisor.start_program(program.name)
            wait_ready(self.options.port, self.layout, supervisor)
        return supervisor

    def _begin_static(self, at_end: ExitStack, environment: dict[str, str]) -> Command | None:
        """Collect the static files beside the next steps; None when they are as they must be."""
        if self.layout.static.is_dir() and self._static_stamp.matches(static_state()):
            return None
        arguments = ["--noinput", "--clear", "--verbosity", "0"]
        static = self._manage("collectstatic", arguments, environment)
        at_end.callback(static.end)
        return static

    def _migrate(self, servers: Servers, environment: dict[str, str]) -> None:
        """Bring schema and rights up to date; a database of the user's own is always asked."""
        owner_url = servers.database_owner_url
        if servers.postgres and self._schema_stamp.matches(schema_state(owner_url)):
            return
        owner = environment | {"DATABASE_URL": owner_url}
        with step("database schema"):
            self._manage("migrate", ["--noinput"], owner).finish()
        runtime_role = unquote(urlsplit(servers.database_url).username or "") or "eqtrade"
        with step("rights of the runtime role"):
            self._manage("grant_runtime", [runtime_role], owner).finish()
            self._manage("audit_keep", [], owner).finish()
        if servers.postgres:
            self._schema_stamp.keep(schema_state(owner_url))

    def _seed(self, environment: dict[str, str]) -> None:
        if self.options.seed is None:
            say("  not seeded: the database is your own; SEED=demo or SEED=empty would seed it")
            return
        with step(f"seed ({self.options.seed})"):
            self._manage("seed", [f"--{self.options.seed}"], environment).finish()

    def _manage(self, name: str, arguments: list[str], environment: dict[str, str]) -> Command:
        return Command(
            name,
            [sys.executable, "manage.py", name, *arguments],
            environment,
            self.layout.logs / f"{name}.log",
            self.processes,
        )

    def _announce(self, seconds: float) -> None:
        say(f"  {'in all':<44} {seconds:5.1f} s")
        say(f"eqtrade is ready at {self.options.url}")
        if self.options.seed is not None:
            say(f"  users {', '.join(DEMO_USERS)}; password {self.options.demo_password}")
        say(f"  logs in {self.layout.logs}; Ctrl-C stops everything")

    def _watch(self, supervisor: Supervisor) -> None:
        """Say what happens to the children, until the supervisor itself is gone."""
        watch = Watch()
        retry_at: float | None = None
        while supervisor.lives():
            states = supervisor.states()
            self._record(states)
            for line in watch.news(states):
                say(f"{time.strftime('%H:%M:%S')} {line}")
            if not any(one.state == "FATAL" for one in states):
                retry_at = None
            elif retry_at is None:
                retry_at = time.monotonic() + RETRY_SECONDS
            elif time.monotonic() > retry_at:
                supervisor.restart_given_up(states)
                retry_at = None
            time.sleep(LOOK_SECONDS)
        raise StepFailed(f"the supervisor died. Its log ends with:\n{tail(supervisor.log)}")

    def _record(self, states: list[ProgramState]) -> None:
        for one in states:
            if one.pid:
                self.processes.record(one.name, one.pid)

    def _stop(self, supervisor: Supervisor) -> None:
        """Stop the supervisor and its children; then whatever an accident left of them."""
        ignore_signals()  # a second Ctrl-C must not leave this half done
        self.layout.environment.unlink(missing_ok=True)
        supervisor.stop_all()
        end_leftovers(read_processes(self.layout.processes), self._postgres_data())
