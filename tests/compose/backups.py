"""Backups, and what is restored from them: by dumps, and to a second."""

import time

from tests.compose.desk import ACCOUNT, Desk
from tests.compose.project import LOG_KEPT
from tests.stack.bookings import TICKERS


class Backups:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.project = desk, desk.project

    def backup(self) -> str:
        return self.project.run_once("backup").strip().splitlines()[-1]

    def restore(self) -> str:
        self.project.compose("down", "-t", "15", seconds=400)
        self.project.docker(
            "volume", "rm", f"{self.project.name}_postgres", f"{self.project.name}_redis"
        )
        self.project.compose("up", "-d", "--wait", "--no-build", "postgres", "redis")
        self.project.run_once("roles")
        self.project.run_once("restore")
        self.project.run_once("migrate")
        # Not declared yet: it must not be taken for ready.
        undeclared = self.project.run_once("api", "manage", "restored")
        assert "Epoch 2 begins" in undeclared, undeclared
        verified = self.project.run_once("api", "manage", "verify")
        assert "no breaks" in verified, verified
        self.project.compose("up", "-d", "--no-build", seconds=400)
        self.project.wait_well(api=1, ws=1, worker_positions=1)
        return verified.strip().splitlines()[-1]

    def hundred_more(self) -> str:
        began = time.monotonic()
        booker = self.desk.booker()
        for number in range(100):
            booker.book(TICKERS[number % len(TICKERS)])
        with self.desk.live() as live:
            self.desk.follows(live)
        return f"{time.monotonic() - began:.1f} s"

    def keep_log(self) -> str:
        """A system that dumps alone takes backups to the second as well."""
        self.project.join(LOG_KEPT)
        self.project.compose("up", "-d", "--no-build", seconds=400)
        self.project.wait_well(api=1, ws=1, worker_positions=1, backups=1)
        info = self.project.compose("exec", "-T", "backups", "/eqtrade/pgbackrest.sh", "info")
        assert "full backup" in info, info
        return self.project.run_once("backup").strip().splitlines()[-1]

    def restore_to(self) -> str:
        """Into an empty cluster, the old one gone first. It keeps its identifier: no epoch begins.
        Programs send again what they sent after that second."""
        database = ("exec", "-T", "postgres", "psql", "-U", "postgres", "-d", "eqtrade", "-tAc")
        identity = "SELECT system_identifier FROM pg_control_system()"
        before = self.project.compose(*database, identity)
        kept = dict(self.desk.acknowledged)
        time.sleep(2)
        at = self.project.compose(*database, "SELECT date_trunc('second', now())").strip()
        time.sleep(2)
        late = self.desk.booker()
        for number in range(20):
            late.book(TICKERS[number % len(TICKERS)])
        # The log up to here is kept within a minute by itself.
        self.project.compose(*database, "SELECT pg_switch_wal()")
        self.project.compose("exec", "-T", "backups", "/eqtrade/pgbackrest.sh", "check")
        began = time.monotonic()
        self.project.compose("down", seconds=120)
        self.project.docker(
            "volume", "rm", f"{self.project.name}_postgres", f"{self.project.name}_redis"
        )
        self.project.run_once("restore-to", at)
        self.project.compose("up", "-d", "--no-build", seconds=400)
        self.project.wait_well(api=1, ws=1, worker_positions=1)
        seconds = time.monotonic() - began
        rows = self.desk.client.rows("trades/", account=ACCOUNT)
        found = {row["client_trade_id"]: row["id"] for row in rows}
        assert found == kept, f"{len(kept)} up to {at}, {len(found)} found"
        assert self.project.compose(*database, identity) == before
        declared = self.project.manage("restored")
        assert "nothing to do" in declared, declared
        verified = self.project.manage("verify")
        assert "no breaks" in verified, verified
        for number, own_id in enumerate(list(late.acknowledged)):
            late.book(TICKERS[number % len(TICKERS)], own_id)
        gone = len(late.acknowledged)
        return f"{len(found)} rows up to {at}, {gone} after it gone; {seconds:.0f} s"
