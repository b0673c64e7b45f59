"""The reader: nothing skipped, nothing twice. Real commits; other transactions on real sessions."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import Connection, connect

from eqtrade.up.postgres import PostgresServer
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.strategies.projection import STRATEGY
from positions.models import Position
from positions.projection import POSITIONS, SETTLEMENT
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger import shard_batch as ledger
from trades.ledger.consumer import shards_behind
from trades.ledger.projection import Batch
from trades.ledger.registry import consumers
from trades.ledger.shard_batch import AnotherCluster, BatchFailed, Outcome, State, drain
from trades.models import Checkpoint, LedgerEpoch, Quarantine


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


@pytest.fixture
def elsewhere(committed_db: PostgresServer) -> Iterator[Connection]:
    """A session of another process, in a transaction."""
    with connect(committed_db.url("runtime")) as session:
        yield session


def book(desk: Desk, quantity: str = "10", day: date = TODAY) -> None:
    with transaction.atomic():
        make.make_trade(desk.trader, desk.account, desk.ibm, quantity, "2", trade_date=day, at=NOW)


def read(desk: Desk, **how: Any) -> Outcome:
    return drain(POSITIONS, desk.account.pk % 16, **{"patience": 0.05, **how})


def held(desk: Desk) -> Decimal:
    found = Position.objects.filter(account=desk.account, instrument=desk.ibm).first()
    return found.quantity if found else Decimal(0)


def test_entries_are_applied_once(desk: Desk) -> None:
    book(desk, "10")
    book(desk, "-3")
    assert read(desk) == Outcome(State.DRAINED, entries=2, batches=1)
    assert held(desk) == 7
    assert read(desk) == Outcome(State.DRAINED)
    assert held(desk) == 7


def test_an_entry_above_the_horizon_is_not_read_and_not_lost(
    desk: Desk, elsewhere: Connection
) -> None:
    """An older transaction is open elsewhere: it may yet commit an entry that sorts before ours.
    A reader that took ours now would never see that one."""
    with elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()")
        book(desk)
        assert read(desk).state is State.WAITING
        assert held(desk) == 0
    elsewhere.rollback()
    assert read(desk).state is State.DRAINED
    assert held(desk) == 10


def test_overlapping_transactions_are_both_counted(desk: Desk, elsewhere: Connection) -> None:
    """The later-numbered commits first; then the earlier one. Neither is skipped."""
    book(desk, "1")
    trade = desk.account.pk, desk.ibm.pk
    elsewhere.execute(
        "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity, notional,"
        " trades, trade_id, version) SELECT %s, %s, trade_date, 100, 200, 1, trade_id, version"
        " FROM trades_ledgerentry LIMIT 1",
        trade,
    )
    book(desk, "10")
    read(desk)
    elsewhere.commit()
    read(desk)
    assert held(desk) == 111


def test_a_shard_in_other_hands_is_left_alone(desk: Desk, elsewhere: Connection) -> None:
    book(desk)
    read(desk)
    elsewhere.execute("SELECT FROM trades_checkpoint FOR UPDATE")
    book(desk)
    assert read(desk).state is State.BUSY
    elsewhere.rollback()
    assert read(desk).entries == 1


def test_a_missing_checkpoint_is_made_and_never_means_busy(desk: Desk) -> None:
    assert not Checkpoint.objects.exists()
    assert read(desk).state is State.DRAINED
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.epoch, checkpoint.txid, checkpoint.entry_id) == (0, "0", 0)


def test_batches_are_bounded_and_the_rest_is_said(desk: Desk) -> None:
    for _ in range(7):
        book(desk, "1")
    assert read(desk, batch_entries=2, max_batches=3) == Outcome(State.MORE, entries=6, batches=3)
    assert held(desk) == 6
    assert read(desk, batch_entries=2).state is State.DRAINED
    assert held(desk) == 7


def test_a_batch_cuts_through_a_transaction_without_loss(desk: Desk) -> None:
    with transaction.atomic():
        for _ in range(5):
            make.make_trade(desk.trader, desk.account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)
    read(desk, batch_entries=2, max_batches=1)
    assert held(desk) == 2
    read(desk, batch_entries=2)
    assert held(desk) == 5


def test_effect_and_checkpoint_commit_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dying between the effect and the commit leaves neither."""
    book(desk)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("trades.ledger.shard_batch._move_checkpoint", die)
        with pytest.raises(KeyboardInterrupt):
            read(desk)
    assert held(desk) == 0
    read(desk)
    assert held(desk) == 10


def test_in_another_cluster_nothing_is_read_and_nothing_booked(desk: Desk) -> None:
    book(desk)
    here = LedgerEpoch.objects.get()
    LedgerEpoch.objects.filter(pk=here.pk).update(system_identifier=here.system_identifier + 1)
    try:
        with pytest.raises(AnotherCluster, match="restored"):
            read(desk)
        with pytest.raises(Exception, match="another cluster"):
            book(desk)
    finally:
        LedgerEpoch.objects.filter(pk=here.pk).update(system_identifier=here.system_identifier)
    read(desk)
    assert held(desk) == 10


def test_shards_behind_are_found_also_without_a_checkpoint(desk: Desk) -> None:
    shard = desk.account.pk % 16
    assert shards_behind() == []
    book(desk)
    assert shards_behind() == [(name, shard) for name in sorted(consumers())]
    read(desk)
    left = sorted(set(consumers()) - {"positions"})
    assert shards_behind() == [(name, shard) for name in left]
    for projection in (ACTIVITY, COST, SETTLEMENT, STRATEGY):
        drain(projection, shard)
    assert shards_behind() == []


def test_recorded_at_is_the_databases_clock_and_beaten_only_by_the_tests_setting(
    desk: Desk,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT eqtrade_recorded_at() BETWEEN now() AND clock_timestamp()")
        assert cursor.fetchone() == (True,)
        cursor.execute("SET eqtrade.recorded_at = '2026-01-05 12:00Z'")
        cursor.execute("SELECT eqtrade_recorded_at() = '2026-01-05 12:00Z'")
        assert cursor.fetchone() == (True,)
        cursor.execute("RESET eqtrade.recorded_at")


# --- quarantine ----------------------------------------------------------------------------------


@pytest.fixture
def no_thousands(committed_db: PostgresServer) -> Iterator[None]:
    """From now on positions of 1,000 and more cannot be stored."""
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("ALTER TABLE positions_position ADD CONSTRAINT t CHECK (quantity < 1000)")
        yield
        owner.execute("ALTER TABLE positions_position DROP CONSTRAINT IF EXISTS t")


def test_a_bad_entry_stops_its_account_and_no_other(desk: Desk, no_thousands: None) -> None:
    neighbour = make.make_account("Neighbour")
    while neighbour.pk % 16 != desk.account.pk % 16:
        neighbour = make.make_account(f"Neighbour{neighbour.pk}")
    for quantity in ("10", "5000", "1"):
        book(desk, quantity)
        with transaction.atomic():
            make.make_trade(desk.trader, neighbour, desk.ibm, "7", "2", trade_date=TODAY, at=NOW)
    assert read(desk, max_batches=100).state is State.DRAINED
    assert held(desk) == 10
    assert Position.objects.get(account=neighbour).quantity == 21
    kept = Quarantine.objects.get()
    assert (kept.consumer, kept.account) == ("positions", desk.account)
    assert "IntegrityError" in kept.error
    book(desk, "1")
    assert read(desk).state is State.DRAINED
    assert held(desk) == 10


def test_a_large_batch_that_was_not_counted_off_is_bisected_too(
    desk: Desk, no_thousands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(desk, "1")
    read(desk)
    monkeypatch.setattr(ledger, "BATCH_ENTRIES", 4)
    for quantity in ("1", "5000", *("1" for _ in range(17))):
        book(desk, quantity)
    outcome = drain(POSITIONS, desk.account.pk % 16, batch_entries=4, max_batches=50)
    assert outcome.state is State.DRAINED
    assert held(desk) == 2
    assert Quarantine.objects.count() == 1


class Slow:
    """Takes so many seconds for each entry."""

    name = "positions"

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def apply(self, cursor: CursorWrapper, batch: Batch) -> int:
        entries = POSITIONS.apply(cursor, batch)
        cursor.execute("SELECT pg_sleep(%s)", [entries * self.seconds])
        return entries


def test_a_batch_that_takes_too_long_is_taken_in_pieces(desk: Desk) -> None:
    for _ in range(20):
        book(desk, "1")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '400ms'")
    try:
        assert drain(Slow(0.05), desk.account.pk % 16, max_batches=50).state is State.DRAINED
        assert held(desk) == 20
        # Not even a single entry is done in time: the database's fault.
        book(desk, "1")
        with pytest.raises(BatchFailed):
            drain(Slow(1), desk.account.pk % 16)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    assert not Quarantine.objects.exists()
    assert held(desk) == 20


def test_a_failure_that_is_no_entrys_fault_blames_nobody(desk: Desk) -> None:
    """Code ahead of its migration: the next release mends it, and nothing needs a rebuild."""

    class Ahead:
        name = "positions"

        def apply(self, cursor: CursorWrapper, batch: Any) -> int:
            cursor.execute("UPDATE positions_position SET no_such_column = 1")
            return 0

    book(desk)
    with pytest.raises(Exception, match="no_such_column"):
        drain(Ahead(), desk.account.pk % 16)
    assert not Quarantine.objects.exists()
    read(desk)
    assert held(desk) == 10


def test_a_failure_without_a_new_culprit_ends(desk: Desk) -> None:
    """Every batch fails, whatever is in it: the accounts are passed over, and then it stops."""

    class Broken:
        name = "positions"

        def apply(self, cursor: CursorWrapper, batch: Any) -> int:
            raise ArithmeticError("always")

    book(desk)
    book(desk)
    with pytest.raises(Exception, match="a batch of shard"):
        drain(Broken(), desk.account.pk % 16)
