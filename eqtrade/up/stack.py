"""Starts, keeps and stops the whole stack, in the order that its parts need."""

import http.client
import os
import shutil
import socket
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from eqtrade.up.accounts import server_account
from eqtrade.up.commands import Command, StepFailed
from eqtrade.up.files import tail
from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import ProcessFile, end_leftovers, read_processes
from eqtrade.up.lock import only_stack
from eqtrade.up.nginx import write_settings
from eqtrade.up.options import DEMO_USERS, Options
from eqtrade.up.postgres import Passwords, PostgresServer
from eqtrade.up.programs import Program, application_programs
from eqtrade.up.progress import say, step
from eqtrade.up.runtime import load_secrets, publish_environment
from eqtrade.up.signals import ignore_signals
from eqtrade.up.supervision import ProgramState, Supervisor
from eqtrade.up.unchanged import Stamp, schema_state, static_state
from eqtrade.up.valkey import ValkeyServer
from eqtrade.up.watch import Watch

READY_SECONDS = 120
LOOK_SECONDS = 0.5
RETRY_SECONDS = 15
"""How long a program that supervisor gave up rests before its next round of retries."""


@dataclass(frozen=True)
class Urls:
    """What the programs connect to."""

    database: str
    database_owner: str
    redis: str


class Stack:
    """One stack. `run` returns only by an exception, and then nothing of it runs any more."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.layout = Layout(options.data_dir)
        self.processes = ProcessFile(self.layout.processes)
        self.postgres: PostgresServer | None = None
        self.valkey: ValkeyServer | None = None
        self._static_stamp = Stamp(self.layout.run / "static")

    def run(self) -> None:
        """Start everything, say so, and watch until an exception (a signal, most often)."""
        began = time.monotonic()
        self.layout.create()
        with ExitStack() as at_end:
            at_end.enter_context(only_stack(self.layout.lock, self.options.url))
            self._clear_leftovers()
            at_end.callback(self.processes.clear)
            at_end.callback(shutil.rmtree, self.layout.sockets, ignore_errors=True)
            self._check_port()
            supervisor = self._start(at_end)
            self._announce(time.monotonic() - began)
            self._watch(supervisor)

    def _clear_leftovers(self) -> None:
        postgres = None
        if self.options.database_url is None:
            postgres = self.layout.postgres(server_account())
        left = end_leftovers(read_processes(self.layout.processes), postgres)
        if left:
            say(f"  ended what the previous run left behind: {', '.join(sorted(set(left)))}")
        self.layout.environment.unlink(missing_ok=True)

    def _check_port(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.options.port))
            except OSError as error:
                raise StepFailed(
                    f"Port {self.options.port} of 127.0.0.1 can't be used ({error.strerror}). "
                    "Set PORT to another one."
                ) from error

    def _start(self, at_end: ExitStack) -> Supervisor:
        secrets = load_secrets(self.layout)
        urls = self._prepare_servers(secrets)
        environment = self._environment(urls, secrets)
        owner_environment = environment | {"DATABASE_URL": urls.database_owner}

        supervisor = Supervisor(self.layout, self._programs())
        at_end.callback(_stop, supervisor, self.layout)
        with step("supervisor"):
            supervisor.start(environment)
        assert supervisor.pid is not None
        self.processes.record("supervisord", supervisor.pid)
        static = self._begin_static(at_end, environment)

        self._start_servers(supervisor)
        publish_environment(
            self.layout,
            supervisor.pid,
            {name: environment[name] for name in self._own_names(environment)}
            | {"DATABASE_OWNER_URL": urls.database_owner},
        )
        self._migrate(urls, owner_environment)
        if static is not None:
            with step("static files"):
                static.finish()
            self._static_stamp.keep(static_state())
        self._seed(environment)
        with step("api, ws, workers, beat, flower, nginx"):
            for program in supervisor.programs.values():
                if program.stage != "server":
                    supervisor.start_program(program.name)
            self._wait_ready(supervisor)
        return supervisor

    def _prepare_servers(self, secrets: dict[str, str]) -> Urls:
        """Make the embedded servers that the user did not bring, without starting them."""
        options = self.options
        if options.database_url is None:
            account = server_account()
            self.postgres = PostgresServer(
                self.layout.postgres(account),
                self.layout.postgres_sockets,
                Passwords(secrets["superuser"], secrets["owner"], secrets["runtime"]),
                log_file=self.layout.logs / "postgres.log",
                account=account,
            )
            if account.borrowed:
                say(
                    f"  PostgreSQL runs as {account.name}: data {self.postgres.data_dir}, "
                    f"programs {self.postgres.bin}"
                )
            with step("PostgreSQL cluster"):
                self.postgres.init()
        if options.redis_url is None:
            self.valkey = ValkeyServer(
                self.layout.valkey,
                self.layout.socket("valkey"),
                log_file=self.layout.logs / "valkey.log",
            )
            self.valkey.init()
        return Urls(
            database=options.database_url or self._postgres_url("runtime"),
            database_owner=options.database_owner_url or self._postgres_url("owner"),
            redis=options.redis_url or self._valkey_url(),
        )

    def _postgres_url(self, role: str) -> str:
        assert self.postgres is not None
        return self.postgres.url("owner" if role == "owner" else "runtime")

    def _valkey_url(self) -> str:
        assert self.valkey is not None
        return self.valkey.url()

    def _programs(self) -> list[Program]:
        programs = []
        if self.postgres is not None:
            account = self.postgres.account
            programs.append(
                Program(
                    "postgres",
                    self.postgres.command(),
                    stage="server",
                    directory=Path("/"),
                    user=account.name if account.borrowed else None,
                    stop_signal="INT",  # ends sessions, but properly
                    stop_seconds=30,
                )
            )
        if self.valkey is not None:
            programs.append(Program("valkey", self.valkey.command(), stage="server"))
        programs += application_programs(self.layout)
        command = write_settings(self.layout, self.options.port)
        return [*programs, Program("nginx", command, stage="entrance")]

    def _start_servers(self, supervisor: Supervisor) -> None:
        if self.postgres is not None:
            with step("PostgreSQL"):
                supervisor.start_program("postgres")
                self.postgres.wait_ready()
                self.postgres.create_roles()
        if self.valkey is not None:
            with step("Valkey"):
                supervisor.start_program("valkey")
                self.valkey.wait_ready()

    def _environment(self, urls: Urls, secrets: dict[str, str]) -> dict[str, str]:
        """The environment of everything that runs our code; what the user set stays."""
        port = self.options.port
        environment = {
            "SECRET_KEY": secrets["django"],
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "CSRF_TRUSTED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
            "STATIC_ROOT": str(self.layout.static),
            "PRICE_SOURCE": "simulated",
            **{name: value for name, value in os.environ.items() if value},
            "DATA_DIR": str(self.layout.data_dir),
            "DATABASE_URL": urls.database,
            "REDIS_URL": urls.redis,
            "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
            "DEMO_PASSWORD": self.options.demo_password,
            "PYTHONUNBUFFERED": "1",
        }
        environment.pop("DATABASE_OWNER_URL", None)
        environment.pop("EQTRADE_LOCAL_STACK", None)
        if self.options.seed is not None:
            environment["EQTRADE_LOCAL_STACK"] = "1"
        return environment

    def _own_names(self, environment: dict[str, str]) -> list[str]:
        """What of the environment manage.py needs in another terminal."""
        names = (
            *("SECRET_KEY", "ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "STATIC_ROOT"),
            *("PRICE_SOURCE", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"),
            *("EQTRADE_LOCAL_STACK", "DEMO_PASSWORD"),
        )
        return [name for name in names if name in environment]

    def _manage(self, name: str, arguments: list[str], environment: dict[str, str]) -> Command:
        return Command(
            name,
            [sys.executable, "manage.py", name, *arguments],
            environment,
            self.layout.logs / f"{name}.log",
            self.processes,
        )

    def _begin_static(self, at_end: ExitStack, environment: dict[str, str]) -> Command | None:
        """Collect the static files beside the next steps; None when they are as they must be."""
        if self.layout.static.is_dir() and self._static_stamp.matches(static_state()):
            return None
        arguments = ["--noinput", "--clear", "--verbosity", "0"]
        static = self._manage("collectstatic", arguments, environment)
        at_end.callback(static.end)
        return static

    def _migrate(self, urls: Urls, owner_environment: dict[str, str]) -> None:
        """Bring schema and rights up to date; a database of the user's own is always asked."""
        stamp = Stamp(self.layout.run / "schema")
        own_database = self.options.database_url is not None
        if not own_database and stamp.matches(schema_state(urls.database_owner)):
            return
        with step("database schema"):
            self._manage("migrate", ["--noinput"], owner_environment).finish()
        with step("rights of the runtime role"):
            self._manage("grant_runtime", [_role_of(urls.database)], owner_environment).finish()
        if not own_database:
            stamp.keep(schema_state(urls.database_owner))

    def _seed(self, environment: dict[str, str]) -> None:
        if self.options.seed is None:
            say("  not seeded: the database is your own; SEED=demo or SEED=empty would seed it")
            return
        with step(f"seed ({self.options.seed})"):
            self._manage("seed", [f"--{self.options.seed}"], environment).finish()

    def _wait_ready(self, supervisor: Supervisor) -> None:
        """Poll /readyz through nginx; raises `StepFailed` with the logs of who is not up."""
        deadline = time.monotonic() + READY_SECONDS
        answer = "nothing"
        while time.monotonic() < deadline:
            self._record(supervisor.states())
            status, answer = _get(self.options.port, "/readyz")
            states = supervisor.states()
            if status == 200 and self._all_up(states):
                return
            if any(one.state == "FATAL" for one in states):
                break
            time.sleep(0.1)
        down = [one for one in supervisor.states() if one.state != "RUNNING"]
        logs = "".join(
            f"\n{one.name} is {one.state}. Its log ends with:\n"
            f"{tail(self.layout.logs / f'{one.name}.log')}"
            for one in down
        )
        raise StepFailed(f"The system did not become ready. /readyz answered: {answer}{logs}")

    def _all_up(self, states: list[ProgramState]) -> bool:
        """Ready is the whole system: /readyz speaks for api and its servers only."""
        listening = all(self.layout.socket(name).exists() for name in ("api", "ws", "flower"))
        return listening and all(one.state == "RUNNING" for one in states)

    def _record(self, states: list[ProgramState]) -> None:
        for one in states:
            if one.pid:
                self.processes.record(one.name, one.pid)

    def _announce(self, seconds: float) -> None:
        say(f"  {'in all':<44} {seconds:5.1f} s")
        say(f"eqtrade is ready at {self.options.url}")
        if self.options.seed is not None:
            say(f"  users {', '.join(DEMO_USERS)}; password {self.options.demo_password}")
        say(f"  logs in {self.layout.logs}; Ctrl-C stops everything")

    def _watch(self, supervisor: Supervisor) -> None:
        watch = Watch()
        retry_at = 0.0
        while True:
            if not supervisor.lives():
                raise StepFailed("The supervisor died. Its log ends with:\n" + tail(supervisor.log))
            states = supervisor.states()
            for line in watch.news(states):
                say(f"{time.strftime('%H:%M:%S')} {line}")
            self._record(states)
            if any(one.state == "FATAL" for one in states):
                if retry_at == 0.0:
                    retry_at = time.monotonic() + RETRY_SECONDS
                elif time.monotonic() > retry_at:
                    supervisor.restart_given_up(states)
                    retry_at = 0.0
            time.sleep(LOOK_SECONDS)


def _stop(supervisor: Supervisor, layout: Layout) -> None:
    """Stop the supervisor and its children; then whatever an accident left of them."""
    ignore_signals()  # a second Ctrl-C must not leave this half done
    layout.environment.unlink(missing_ok=True)
    if supervisor.pid is not None:
        supervisor.stop_all()
    end_leftovers(read_processes(layout.processes))


def _role_of(url: str) -> str:
    """The role that a database URL logs in with."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(url).username or "") or "eqtrade"


def _get(port: int, path: str) -> tuple[int, str]:
    """Status and body of a GET on our own nginx; status 0 when it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", quote(path))
        response = connection.getresponse()
        return response.status, f"{response.status} {response.read(2000).decode(errors='replace')}"
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()
