"""PostgreSQL and Valkey of one stack: embedded, or the user's own."""

from dataclasses import dataclass
from pathlib import Path

from eqtrade.up.accounts import server_account
from eqtrade.up.layout import Layout
from eqtrade.up.options import Options
from eqtrade.up.postgres import Passwords, PostgresServer
from eqtrade.up.programs import Program
from eqtrade.up.progress import say, step
from eqtrade.up.supervision import Supervisor
from eqtrade.up.valkey import ValkeyServer


@dataclass(frozen=True)
class Servers:
    """What the programs connect to; `postgres` and `valkey` only where they are embedded."""

    postgres: PostgresServer | None
    valkey: ValkeyServer | None
    database_url: str
    database_owner_url: str
    redis_url: str

    def programs(self) -> list[Program]:
        """The embedded servers, for the supervisor."""
        found = []
        if self.postgres is not None:
            account = self.postgres.account
            found.append(
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
            found.append(Program("valkey", self.valkey.command(), stage="server"))
        return found

    def start(self, supervisor: Supervisor) -> None:
        """Start the embedded servers under the supervisor and wait until they answer."""
        if self.postgres is not None:
            with step("PostgreSQL"):
                supervisor.start_program("postgres")
                self.postgres.wait_ready()
                self.postgres.create_roles()
        if self.valkey is not None:
            with step("Valkey"):
                supervisor.start_program("valkey")
                self.valkey.wait_ready()


def prepare_servers(options: Options, layout: Layout, secrets: dict[str, str]) -> Servers:
    """Make the servers that the user did not bring, without starting them."""
    postgres = _prepare_postgres(layout, secrets) if options.database_url is None else None
    valkey = _prepare_valkey(layout) if options.redis_url is None else None
    return Servers(
        postgres=postgres,
        valkey=valkey,
        database_url=postgres.url("runtime") if postgres else options.database_url or "",
        database_owner_url=postgres.url("owner") if postgres else options.database_owner_url or "",
        redis_url=valkey.url() if valkey else options.redis_url or "",
    )


def _prepare_postgres(layout: Layout, secrets: dict[str, str]) -> PostgresServer:
    account = server_account()
    postgres = PostgresServer(
        layout.postgres(account),
        layout.postgres_sockets,
        Passwords(secrets["superuser"], secrets["owner"], secrets["runtime"]),
        log_file=layout.logs / "postgres.log",
        account=account,
    )
    if account.borrowed:
        say(
            f"  PostgreSQL runs as {account.name}: data {postgres.data_dir}, "
            f"programs {postgres.bin}"
        )
    with step("PostgreSQL cluster"):
        postgres.init()
    return postgres


def _prepare_valkey(layout: Layout) -> ValkeyServer:
    valkey = ValkeyServer(
        layout.valkey, layout.socket("valkey"), log_file=layout.logs / "valkey.log"
    )
    valkey.init()
    return valkey
