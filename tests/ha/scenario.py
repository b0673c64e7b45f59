"""The steps. A step raises when something is not as it must be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.ha.system import Part, System, identity, primary, standby, wait_two
from tests.stack.bookings import COME_AGAIN, Bookings
from tests.stack.eventually import eventually

A_SECOND = 20
SENDERS = 24
"""Fewer than nginx lets one user have in flight."""
POSTGRES_SECONDS, MACHINE_SECONDS = 15.0, 30.0
"""Without a booking, when a PostgreSQL dies and when its machine does."""
READ_SECONDS = 5.0
PART_SECONDS, PART_AWAY_SECONDS = 5.0, 6.0
PASSED_BY_SECONDS, DOOR_AWAY_SECONDS = 10.0, 10.0
"""How long the balancer may need to notice that a door is away, and how long it is away then:
nobody is refused any more."""
FROZEN_SECONDS = 20.0
LEASE_LOST_SECONDS = 35.0
CALM_SECONDS = 5.0
IS_POSTGRES = (True, True, False, False, True)
"""What dies of the primary, PostgreSQL or the machine: each of the two servers loses both."""


@dataclass(frozen=True)
class Row:
    """What was done, and the longest times without a booking and without an answer to a reader."""

    what: str
    bookings: float
    reads: float
    again: float
    refused: int
    """Tries that had to be repeated."""
    noticed: float | None
    """Of a door: seconds until the balancer passed it by."""
    late: list[str]
    """Of a door: why tries had to be repeated that began after that."""


class Scenario:
    def __init__(self, system: System, *, parts_only: bool = False) -> None:
        self.system, self.parts_only = system, parts_only
        self.rows: list[Row] = []
        self.too_long: list[str] = []

    def run(self) -> None:
        before = identity(self.system)
        client, account = self.system.client(), self.system.account
        with Bookings(client, account, a_second=A_SECOND, senders=SENDERS, reads=True) as load:
            self._load = load
            time.sleep(CALM_SECONDS)
            for part in self.system.parts:
                self._kill_part(part)
            if not self.parts_only:
                self._kill_and_freeze_servers()
        assert identity(self.system) == before, "no new epoch: same cluster, same ledger"
        self._check()
        assert not self.too_long, self.too_long

    def _kill_part(self, part: Part) -> None:
        row = self._after(
            f"{part.name} killed",
            *(part.kill, part.start),
            bookings=PART_SECONDS,
            reads=PART_SECONDS,
            lasts=PART_AWAY_SECONDS,
            passed_by=part.passed_by,
        )
        if row.noticed is not None:
            late = f"{len(row.late)} refused after that{''.join(f', {why}' for why in row.late)}"
            print(f"      passed by after {row.noticed:.1f} s, {late}", flush=True)
            if row.late:
                self.too_long.append(f"{row.what}: {late}")

    def _kill_and_freeze_servers(self) -> None:
        for number, is_postgres in enumerate(IS_POSTGRES, 1):
            self._kill_primary(number, is_postgres)
        gone = standby(self.system)
        self._after(
            f"the standby's machine killed ({gone.name})",
            *(gone.kill_machine, gone.start),
            bookings=POSTGRES_SECONDS,
            reads=READ_SECONDS,
        )
        gone = standby(self.system)
        self._after(
            f"the standby frozen ({gone.name})",
            *(gone.freeze, gone.thaw),
            bookings=POSTGRES_SECONDS,
            reads=READ_SECONDS,
            lasts=FROZEN_SECONDS,
        )
        self._freeze_primary()

    def _kill_primary(self, number: int, is_postgres: bool) -> None:
        was = primary(self.system)
        if is_postgres:
            what, do, undo = "PostgreSQL of the primary", was.kill_postgres, None
        else:
            what, do, undo = "the primary's machine", was.kill_machine, was.start
        self._after(
            f"{number}. {what} killed ({was.name})",
            *(do, undo),
            bookings=POSTGRES_SECONDS if is_postgres else MACHINE_SECONDS,
        )
        assert primary(self.system).name != was.name, "the other one goes on"

    def _freeze_primary(self) -> None:
        """It wakes up when another is the primary, with commits half done and callers connected:
        the fence is the lease that it has lost. How long nothing is booked depends on who was
        connected to it."""
        was = primary(self.system)
        self._after(
            f"the primary frozen, and awake again ({was.name})",
            *(was.freeze, was.thaw),
            lasts=LEASE_LOST_SECONDS,
            goes_on=False,
        )
        assert primary(self.system).name != was.name, "the other one goes on"

    def _after(
        self,
        what: str,
        do: Callable[[], None],
        undo: Callable[[], None] | None = None,
        *,
        bookings: float | None = None,
        reads: float | None = None,
        lasts: float = 0.0,
        goes_on: bool = True,
        passed_by: Callable[[], None] | None = None,
    ) -> Row:
        """Do it, and wait until bookings go on; then mend it, until there are two again."""
        load = self._load
        since = time.monotonic()
        do()
        noticed = None
        if passed_by is not None:
            eventually(passed_by, seconds=PASSED_BY_SECONDS)
            noticed = time.monotonic()
            lasts = noticed - since + DOOR_AWAY_SECONDS
        time.sleep(1)
        if goes_on:
            eventually(partial(self._going_on, what), seconds=90)
        time.sleep(max(0.0, since + lasts - time.monotonic()))
        undone = time.monotonic()
        if undo is not None:
            undo()
        mended = time.monotonic()
        wait_two(self.system)
        again = time.monotonic() - mended
        eventually(partial(self._going_on, what), seconds=90)
        until = time.monotonic()
        row = Row(
            what,
            load.longest(load.times, since, until),
            load.longest(load.read_times, since, until),
            again,
            sum(since <= at <= until for at, _ in list(load.refused)),
            None if noticed is None else noticed - since,
            self._refused_at_the_door(noticed or until, undone),
        )
        self.rows.append(row)
        said = f"{row.bookings:5.1f} s without a booking, {row.reads:4.1f} s without an answer"
        print(
            f"    {what:<48} {said}, {row.refused} repeated, well again in {again:.0f} s",
            flush=True,
        )
        # Told at the end: what was lost is to be known in any case.
        if bookings is not None and row.bookings > bookings:
            self.too_long.append(f"{what}: {row.bookings:.1f} s without a booking")
        if reads is not None and row.reads > reads:
            self.too_long.append(f"{what}: {row.reads:.1f} s without an answer")
        time.sleep(CALM_SECONDS)
        return row

    def _refused_at_the_door(self, since: float, until: float) -> list[str]:
        """Whoever is told when to come again has been let in: the system was full."""
        refused = list(self._load.refused)
        return [why for at, why in refused if since < at < until and not why.endswith(COME_AGAIN)]

    def _going_on(self, what: str) -> None:
        recent = [t for t in list(self._load.times) if t > time.monotonic() - 1]
        assert len(recent) >= 5, f"{what}: {self._load.repeated}"

    # --- what must hold at the end --------------------------------------------------------------

    def _check(self) -> None:
        load = self._load
        assert not load.wrong, load.wrong[:5]
        assert load.sent == len(load.acknowledged) + len(load.given_up)
        of_account = f"JOIN accounts_account a ON a.id = account_id WHERE a.code = '{load.account}'"
        trades = self.system.sql(
            f"SELECT client_trade_id, t.id::text FROM trades_trade t {of_account}"
        )
        found = {row[0]: row[1] for row in trades}
        lost = [own for own, trade in load.acknowledged.items() if found.get(own) != trade]
        ((entries,),) = self.system.sql(f"SELECT count(*) FROM trades_ledgerentry e {of_account}")
        doubled = max(int(entries), len(trades)) - len(found)
        print(
            f"    sent {load.sent} = acknowledged {len(load.acknowledged)}"
            f" + refused {len(load.given_up)}; lost {len(lost)}, doubled {doubled};"
            f" repeated after {dict(load.repeated)}",
            flush=True,
        )
        assert (lost, doubled) == ([], 0)
        assert found.keys() <= load.acknowledged.keys() | set(load.given_up)

        def applied() -> None:
            held = sum(self.system.client().quantities(load.account).values())
            assert held == len(found), f"{held} of {len(found)}"

        eventually(applied, seconds=120)
        verified = self.system.manage("verify")
        assert "no breaks" in verified, verified
        print(f"    {verified.strip().splitlines()[-1]}", flush=True)
