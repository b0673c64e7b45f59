"""Two servers, both lost, and restored to a second from the log that was kept of either."""

import time
from functools import partial

from tests.ha.containers import Containers
from tests.ha.system import identity, primary, wait_two
from tests.stack.bookings import TICKERS, Bookings
from tests.stack.eventually import eventually

A_SECOND, SENDERS = 20, 24
LATE = 20
LOST = ("pg1", "pg2", "etcd1", "etcd2", "etcd3", "redis")
"""Volumes: both databases, who had the lease, and what is no truth."""
PGBACKREST = "/eqtrade/pgbackrest.sh"


class Restoring:
    def __init__(self, system: Containers) -> None:
        self.system, self.project = system, system.project

    def run(self) -> None:
        before = identity(self.system)
        client, account = self.system.client(), self.system.account
        with Bookings(client, account, a_second=A_SECOND, senders=SENDERS) as load:
            load.wait_more(60)
            # The log that is read later is of both of them.
            gone = primary(self.system)
            gone.kill_machine()
            load.wait_more(60)
            gone.start()
            wait_two(self.system)
            load.wait_more(60)
        # Its own schedule may be at work there.
        eventually(partial(self._of_primary, "--type=diff", "backup"), seconds=60)
        made = [line for line in self._of_primary("info").splitlines() if " backup: " in line]
        assert len(made) >= 2, made
        print(f"    {len(made)} backups, the last of the one that was promoted", flush=True)
        with Bookings(client, account, a_second=A_SECOND, senders=SENDERS) as more:
            more.wait_more(60)
        kept = load.acknowledged | more.acknowledged
        assert not load.given_up + more.given_up
        time.sleep(2)
        ((at,),) = self.system.sql("SELECT date_trunc('second', now())")
        time.sleep(2)
        late = Bookings(client, account, a_second=A_SECOND)
        for number in range(LATE):
            late.book(TICKERS[number % len(TICKERS)])
        # The log up to here is kept within a minute by itself.
        self.system.sql("SELECT pg_switch_wal()")
        self._of_primary("check")
        began = time.monotonic()
        self._lose_all()
        self.project.run_once("restore-to", at, seconds=600)
        # The one that has the data first: the other one, empty, would make a cluster of its own.
        self.project.compose("up", "-d", "--no-build", "--wait", "pg1", seconds=300)
        self.system.up()
        seconds = time.monotonic() - began
        found = self._found()
        assert found == kept, f"{len(kept)} up to {at}, {len(found)} found"
        assert identity(self.system) == before, "the same cluster: no new epoch"
        declared = self.system.manage("restored")
        assert "nothing to do" in declared, declared
        print(f"    {len(found)} rows up to {at}, {LATE} after it gone; {seconds:.0f} s")
        for number, own_id in enumerate(list(late.acknowledged)):
            late.book(TICKERS[number % len(TICKERS)], own_id)
        wanted = kept | late.acknowledged
        assert self._found() == wanted
        eventually(partial(self._applied, len(wanted)), seconds=120)
        verified = self.system.manage("verify")
        assert "no breaks" in verified, verified
        print(f"    {LATE} sent again and booked; {verified.strip().splitlines()[-1]}")

    def _of_primary(self, *arguments: str) -> str:
        beside = f"backups{primary(self.system).name.removeprefix('pg')}"
        return self.project.compose("exec", "-T", beside, PGBACKREST, *arguments)

    def _lose_all(self) -> None:
        self.project.compose("down", seconds=300)
        self.project.docker("volume", "rm", *(f"{self.project.name}_{name}" for name in LOST))

    def _found(self) -> dict[str, str]:
        rows = self.system.client().rows("trades/", account=self.system.account)
        found = {row["client_trade_id"]: row["id"] for row in rows}
        assert len(found) == len(rows), "a booking is there twice"
        return found

    def _applied(self, number: int) -> None:
        held = sum(self.system.client().quantities(self.system.account).values())
        assert held == number, f"{held} of {number}"
