"""A stack as a user starts it: a process of its own, with the environment that a user has."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil

from eqtrade.up.files import tail
from eqtrade.up.layout import Layout
from eqtrade.up.leftovers import Recorded, read_processes
from eqtrade.up.options import PROJECT
from tests.stack.client import Client
from tests.stack.collector import Collector
from tests.stack.eventually import eventually
from tests.stack.live import Live
from tests.stack.shell import Shell
from tests.stack.signalling import signal_all

PASSWORD = "a demo's password"
# Some 40 s, on a machine that does much else many times that; less than pytest's own patience. One
# that ended is heard of at once.
START_SECONDS = 330
STOP_SECONDS = 90
# Two characters behind the word: a page is asked for a label by its beginning.
DESKS = [f"Desk{n:02}" for n in range(1, 99)] + [
    f"Desk{of}{n}" for of in "ABCDEF" for n in range(10)
]
# A page shows all that there are, so they are opened some at a time; one that is open already knows
# those that are asked for next.
DESKS_AT_ONCE, DESKS_AHEAD = 8, 4
# What would make it another stack than a user's.
NOT_INHERITED = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "ALLOWED_HOSTS"),
    *("SECRET_KEY", "PRICE_SOURCE", "PRICE_FILE", "DEBUG", "DB_POOL", "EQTRADE_TESTING"),
    *("LOG_LEVEL", "DJANGO_SETTINGS_MODULE"),
)
MAKE_DESKS = """
from django.contrib.auth.models import User
from accounts.models import Account, Entitlement
users = {u.username: u for u in User.objects.all()}
for code in %r:
    name = f"Tests, {code}"
    desk, is_new = Account.objects.get_or_create(code=code, defaults={"name": name})
    for name in ("trader", "middleoffice") if is_new else ():
        Entitlement.objects.create(user=users[name], account=desk, can_book=True)
"""
CLOSE_DESKS = """
from accounts.models import Entitlement
taken = Entitlement.objects.filter(account__code__in=%r)
taken.update(can_view=False, can_book=False, can_correct=False)
"""


class StackDied(AssertionError):
    """The stack ended, or was not ready in time; the message has what it said."""


class RunningStack:
    """A started stack. `stop` ends it and names the processes that are left.

    `checkout` is whose code it runs: this one's, or another's with the same files in DATA_DIR, by
    its own virtual environment if it has one. `settings` are set as a user sets them.
    """

    start_seconds = START_SECONDS
    collector: Collector
    """Where its traces go, if it has been told."""

    def __init__(
        self,
        data_dir: Path,
        *,
        seed: str = "demo",
        checkout: Path = PROJECT,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.data_dir = data_dir
        self.checkout = checkout
        self.layout = Layout(data_dir.resolve())
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.said: list[str] = []
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in NOT_INHERITED},
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "SEED": seed,
            "DEMO_PASSWORD": PASSWORD,
            **settings,
        }
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[str, Client] = {}
        self._seen: dict[int, psutil.Process] = {}
        self._desks = iter(DESKS)
        self._unused: deque[str] = deque()
        self._given: list[str] = []
        self._shell: Shell | None = None

    # --- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, wait until it says that it is ready, and open accounts for the tests."""
        self._process = subprocess.Popen(
            [self._python, "-m", "eqtrade.up"],
            cwd=self.checkout,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        deadline = time.monotonic() + self.start_seconds
        while not any(f"eqtrade is ready at {self.url}/" in line for line in self.said):
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = "\n".join(self.said)
                raise StackDied(f"the stack is not ready:\n{said}\n{self.log_tails()}")
            time.sleep(0.05)
        self._open_desks()

    @property
    def _python(self) -> str:
        own = self.checkout / ".venv" / "bin" / "python"
        return str(own) if self.checkout != PROJECT and own.exists() else sys.executable

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line.rstrip())

    def stop(self) -> list[str]:
        """End it as Ctrl-C does; what is left of its processes after that, by command."""
        process = self._process
        if process is None:
            return []
        if self._shell is not None:
            self._shell.end()
            self._shell = None
        self._remember()
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None
        _, left = psutil.wait_procs(list(self._seen.values()), timeout=5)
        named = [" ".join(one.cmdline()) for one in left if one.is_running()]
        signal_all(left, signal.SIGKILL)
        return named

    def _remember(self) -> None:
        """Note every process of the stack, so that none of them goes unnoticed at the end."""
        recorded = [r.pid for r in read_processes(self.layout.processes) if r.lives()]
        for pid in [*recorded, *([self._process.pid] if self._process else [])]:
            try:
                process = psutil.Process(pid)
                found = [process, *process.children(recursive=True)]
            except psutil.NoSuchProcess:
                continue
            self._seen.update((one.pid, one) for one in found)

    # --- what tests use -------------------------------------------------------------------------

    def client(self, user: str) -> Client:
        """REST as this demo user, with a token."""
        if user not in self._clients:
            self._clients[user] = Client.logged_in(self.url, user, PASSWORD)
        return self._clients[user]

    def live(self, user: str, accounts: Iterable[str]) -> Live:
        """The live blotter of this user and these accounts; a context manager."""
        return Live(self.url, self.client(user).token, accounts)

    def desk(self) -> str:
        """An account that no other test uses, where trader and middleoffice may book."""
        if len(self._unused) <= DESKS_AHEAD:
            self._open_desks()
        assert self._unused, "more desks are needed"
        self._given.append(self._unused.popleft())
        return self._given[-1]

    def _open_desks(self) -> None:
        opened = list(itertools.islice(self._desks, DESKS_AT_ONCE))
        self.shell(MAKE_DESKS % (opened,))
        self._unused.extend(opened)

    def close_desks(self) -> None:
        """Nobody sees those any more that were given until now."""
        self.shell(CLOSE_DESKS % (self._given,))
        self._given.clear()

    @property
    def _beside(self) -> dict[str, str]:
        """As in another terminal: who is given no database finds the stack by DATA_DIR."""
        given = ("DATABASE_URL", "DATABASE_OWNER_URL")
        return {name: value for name, value in self._environment.items() if name not in given}

    def manage(self, *arguments: str, code: int = 0) -> str:
        """What `manage.py` with the same DATA_DIR prints; it must exit with this code."""
        done = subprocess.run(
            [self._python, "manage.py", *arguments],
            cwd=self.checkout,
            env=self._beside,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, (
            f"manage.py {arguments} exited {done.returncode}:\n{done.stdout}"
        )
        return done.stdout

    def shell(self, code: str) -> str:
        """What this code prints, run as `manage.py shell -c` runs it; it must not fail."""
        if self._shell is None:
            self._shell = Shell(self._python, self.checkout, self._beside)
        return self._shell.run(code)

    def settings(self) -> dict[str, str]:
        """The environment of the running stack's processes."""
        from eqtrade.up.runtime import running_environment

        found = running_environment(self.data_dir)
        assert found is not None, "the stack does not run"
        return found

    def pids(self) -> dict[str, int]:
        """The pids of what runs, by name: the program that was started, its supervisor, and the
        supervised programs."""
        found = {r.name: r.pid for r in read_processes(self.layout.processes) if r.lives()}
        return found | ({"eqtrade.up": self._process.pid} if self._process else {})

    def pid(self, program: str) -> int:
        """The pid of a supervised program that lives; waits for one that is being restarted."""
        return eventually(lambda: self._recorded(program)).pid

    def _recorded(self, program: str) -> Recorded:
        found = [r for r in read_processes(self.layout.processes) if r.name == program]
        assert found, f"{program} never ran"
        assert found[0].lives(), f"{program} does not run"
        return found[0]

    def kill(self, program: str) -> None:
        """Kill -9 a program, with its own children still alive."""
        self._remember()
        os.kill(self.pid(program), signal.SIGKILL)

    def log_tails(self, lines: int = 12) -> str:
        """The last lines of every log."""
        logs = sorted(self.layout.logs.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{tail(log, lines)}" for log in logs)


def free_port() -> int:
    """A TCP port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
