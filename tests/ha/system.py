"""What the scenario does to a system with two databases, wherever it runs."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from tests.stack.client import Client
from tests.stack.eventually import eventually

READY_SECONDS = 180.0
Members = dict[str, dict[str, Any]]


class Server(Protocol):
    """A machine with Patroni and its PostgreSQL."""

    name: str

    def start(self) -> None:
        """Start it again after `kill_machine`."""

    def kill_postgres(self) -> None:
        """Patroni lives, and sees it."""

    def kill_machine(self) -> None:
        """Patroni and PostgreSQL at once: nobody is left to say that it died."""

    def freeze(self) -> None:
        """Nothing of it runs, and its connections stay open."""

    def thaw(self) -> None: ...


class Part(NamedTuple):
    """Something beside the two servers that may die; `start` waits until all are well again."""

    name: str
    kill: Callable[[], None]
    start: Callable[[], None]
    passed_by: Callable[[], None] | None = None
    """Of the two ways in: raises AssertionError while the balancer still sends callers there."""


class System(Protocol):
    account: str
    """Where it books; empty at the beginning."""

    @property
    def servers(self) -> Sequence[Server]: ...

    @property
    def parts(self) -> Sequence[Part]: ...

    def start(self) -> None: ...

    def end(self) -> None: ...

    def keep_logs(self) -> str:
        """Where they are kept."""

    def client(self) -> Client: ...

    def members(self) -> Members:
        """What etcd knows of each server; raises AssertionError while no Patroni answers."""

    def sql(self, statement: str) -> list[tuple[str, ...]]:
        """Rows of the primary's, each value as text; none is null."""

    def manage(self, command: str) -> str: ...


def of_role(system: System, *roles: str) -> Server:
    named = {name: m["role"] for name, m in system.members().items()}
    found = [s for s in system.servers if named.get(s.name) in roles]
    assert len(found) == 1, named
    return found[0]


def primary(system: System) -> Server:
    return of_role(system, "leader")


def standby(system: System) -> Server:
    return of_role(system, "sync_standby")


def wait_two(system: System, seconds: float = READY_SECONDS) -> None:
    """Wait until there are a primary and a standby that confirms its commits."""

    def look() -> None:
        found = system.members()
        roles = sorted(m["role"] for m in found.values())
        assert roles == ["leader", "sync_standby"], found

    eventually(look, seconds=seconds)


def identity(system: System) -> list[tuple[str, ...]]:
    """Of the cluster and of its ledger: the same after whatever happens here."""
    return system.sql(
        "SELECT (SELECT system_identifier FROM pg_control_system()),"
        " (SELECT max(epoch) FROM trades_ledgerepoch)"
    )
