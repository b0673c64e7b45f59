"""Cost as a projection: appended, late, corrected, moved, in any batches, crashed and rebuilt."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from threading import Event
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import connect

from accounts.models import Entitlement
from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from pnl.cost import projection as cost_projection
from pnl.cost.average_cost import fold
from pnl.cost.fills import folded, numbers
from pnl.cost.projection import COST
from pnl.models import Cost
from tests import factories as make
from tests.trades.conftest import Desk, make_desk
from trades.ledger.multi_shard_batch import round_read
from trades.ledger.shard_batch import drain
from trades.ledger.sql import STANDING_TRADES
from trades.models import LEDGER_SHARDS, Checkpoint, LedgerEntry, Quarantine, Trade
from trades.services.correction import trade_amend, trade_cancel
from trades.terms import Amendment

D = Decimal
NOW = datetime(2026, 3, 18, 16, 0, tzinfo=UTC)
TODAY, YESTERDAY, BEFORE = date(2026, 3, 18), date(2026, 3, 17), date(2026, 3, 16)
REASON = "keyed wrong"


class Book:
    """The desk's first account, traded in IBM and read for real."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.clock = NOW

    def trade(
        self, quantity: str, price: str, day: date = TODAY, at: datetime | None = None
    ) -> Trade:
        """Book; each trade is executed a second after the one before."""
        self.clock += timedelta(seconds=1)
        with transaction.atomic():
            return make.make_trade(
                self.desk.trader, self.desk.account, self.desk.ibm, quantity, price,
                trade_date=day, at=at or self.clock,
            )  # fmt: skip

    def amend(self, trade: Trade, **terms: Any) -> None:
        trade.refresh_from_db()
        trade_amend(
            user=self.desk.trader, trade_id=trade.pk, version=trade.version, reason=REASON,
            terms=Amendment(**terms), now=NOW,
        )  # fmt: skip

    def cancel(self, trade: Trade) -> None:
        trade.refresh_from_db()
        trade_cancel(
            user=self.desk.trader, trade_id=trade.pk, version=trade.version, reason=REASON, now=NOW
        )


@pytest.fixture
def book(committed_db: PostgresServer) -> Book:
    desk = make_desk()
    Entitlement.objects.update(can_correct=True)
    return Book(desk)


def read(batch_entries: int | None = None) -> None:
    """All there is: in a round, or in batches of so many."""
    if batch_entries is None:
        assert not round_read(COST, range(LEDGER_SHARDS)).behind
        return
    for shard in range(LEDGER_SHARDS):
        drain(COST, shard, batch_entries=batch_entries, max_batches=10_000, patience=0)


def costs(code: str = "Test1") -> tuple[Decimal, Decimal, Decimal]:
    row = Cost.objects.get(account__code=code)
    return row.quantity, row.cost, row.realized_pnl


def run(command: str, *args: str) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


@contextmanager
def replays_counted() -> Iterator[list[str]]:
    """The statements that replay keys, as they are executed."""
    seen: list[str] = []

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if sql == cost_projection._REPLAY:
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield seen


def test_appended_trades_go_on_from_the_stored_row(book: Book) -> None:
    with replays_counted() as replays:
        for quantity, price, outcome in [
            ("100", "10", (100, 1000, 0)),
            ("50", "13", (150, 1650, 0)),
            ("-60", "12", (90, 990, 60)),
            ("-90", "9", (0, 0, -120)),
            ("10", "20", (10, 200, -120)),
            ("-25", "21", (-15, -315, -110)),
        ]:
            book.trade(quantity, price)
            read()
            assert costs() == outcome
    assert not replays
    assert verify() == []


def test_a_late_trade_takes_its_place(book: Book) -> None:
    book.trade("100", "10", YESTERDAY)
    book.trade("-50", "12")
    read()
    assert costs() == (50, 500, 100)
    with replays_counted() as replays:
        book.trade("100", "20", BEFORE)
        read()
    # (100 @ 20, 100 @ 10) average 15; 50 sold at 12 lose 3 each.
    assert costs() == (150, 2250, -150)
    assert len(replays) == 1


def test_the_time_of_execution_orders_a_day(book: Book) -> None:
    book.trade("-50", "12", at=NOW - timedelta(hours=1))
    book.trade("100", "10", at=NOW - timedelta(hours=2))
    read()
    assert costs() == (50, 500, 100)
    book.trade("-1", "10", at=NOW - timedelta(minutes=90))
    read()
    assert costs() == (49, 490, 100)


def test_equal_times_are_ordered_by_the_trade(book: Book) -> None:
    book.trade("100", "10", at=NOW)
    read()
    book.trade("-150", "12", at=NOW)
    read()
    assert costs() == (-50, -600, 200)


def test_amended_cancelled_and_moved_trades(book: Book) -> None:
    first = book.trade("100", "10", YESTERDAY)
    second = book.trade("-50", "12")
    read()
    book.amend(first, price=D(11))
    read()
    assert costs() == (50, 550, 50)
    book.amend(first, quantity=D(20))  # the second now opens short after closing 20
    read()
    assert costs() == (-30, -360, 20)
    book.amend(first, trade_date=TODAY)
    read()
    assert costs() == (-30, -360, 20)
    book.amend(second, side="buy")
    read()
    assert costs() == (70, 820, 0)
    book.amend(second, account="Test2")
    read()
    assert (costs(), costs("Test2")) == ((20, 220, 0), (50, 600, 0))
    book.cancel(first)
    read()
    assert costs() == (0, 0, 0)
    assert verify() == []


def test_a_new_note_replays_nothing(book: Book) -> None:
    trade = book.trade("100", "10")
    book.trade("-50", "12")
    read()
    with replays_counted() as replays:
        book.amend(trade, note="as told by phone")
        read()
    assert not replays
    assert Cost.objects.get().last_entry == LedgerEntry.objects.order_by("-pk")[0].pk


def test_a_replay_looks_at_nothing_beyond_the_batch(book: Book) -> None:
    """One entry a batch: each replay happens while later versions are long committed."""
    first = book.trade("100", "10", YESTERDAY)
    book.trade("-50", "12")
    book.amend(first, quantity=D(40))
    book.amend(first, price=D(9))
    book.cancel(first)
    shard = book.desk.account.pk % LEDGER_SHARDS
    for entry in LedgerEntry.objects.order_by("pk"):
        drain(COST, shard, batch_entries=1, max_batches=1, patience=0)
        assert Checkpoint.objects.get(consumer="cost", shard=shard).entry_id == entry.pk
        upto = LedgerEntry.objects.filter(pk__lte=entry.pk)
        row = Cost.objects.get()
        assert row.quantity == sum(e.quantity for e in upto)
        assert row.cost - row.realized_pnl == sum(e.notional for e in upto)
        assert row.last_entry == entry.pk
        assert verify() == []
        assert "0 mended" in run("rebuild_cost")
    assert costs() == (-50, -600, 0)


def test_versions_that_are_read_in_another_order_than_they_were_made(book: Book) -> None:
    """A transaction that began before version 2 writes version 3: its entries come first, among
    them the reversal of terms that no entry has added yet."""
    trade = book.trade("100", "10", YESTERDAY)
    book.trade("-50", "12")
    read()
    began, made = Event(), Event()

    def amend_late() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
            began.set()
            assert made.wait(30)
            book.amend(Trade.objects.get(pk=trade.pk), quantity=D(30))
        connection.close()

    with ThreadPoolExecutor(1) as other:
        late = other.submit(amend_late)
        assert began.wait(30)
        book.amend(trade, quantity=D(20), price=D(11))
        made.set()
        late.result(30)
    places = LedgerEntry.objects.filter(version__gt=1).order_by("txid", "id")
    assert [entry.version for entry in places] == [3, 3, 2, 2]
    states = []
    for _ in places:
        for shard in range(LEDGER_SHARDS):
            drain(COST, shard, batch_entries=1, max_batches=1, patience=0)
        states.append(costs())
        assert verify() == []
        assert "0 mended" in run("rebuild_cost")
    # 100 @ 10 less the reversal of 20 @ 11; with 30 @ 11; without the 100; with the 20 back.
    assert [quantity for quantity, _, _ in states] == [30, 60, -40, -20]
    assert states[-1] == (-20, -240, 30)


@pytest.mark.parametrize("batch_entries", [1, 2, 3, 7])
def test_batches_of_any_size_come_to_the_same(book: Book, batch_entries: int) -> None:
    trades = [
        book.trade(q, p, day)
        for q, p, day in [
            ("100", "10.333333", TODAY), ("-30", "11", BEFORE), ("7", "9.5", YESTERDAY),
            ("-200", "12", TODAY), ("3", "8", BEFORE),
        ]
    ]  # fmt: skip
    book.amend(trades[1], quantity=D(31))
    book.amend(trades[3], trade_date=YESTERDAY)
    book.cancel(trades[4])
    read(batch_entries)
    incremental = list(Cost.objects.values())
    assert "0 mended" in run("rebuild_cost")
    assert list(Cost.objects.values()) == incremental
    assert verify() == []


LEAST, MOST = "0.0000000001", "1000000000"


def test_the_least_and_the_most_that_may_be_entered_are_costed_exactly(book: Book) -> None:
    """Appended, replayed, folded as of then and rebuilt."""
    book.trade(MOST, MOST, BEFORE)
    book.trade(LEAST, LEAST, BEFORE)
    book.trade("999999999.9999999999", "899999999.9999999999", BEFORE)
    read()
    notional = D(10) ** 18 + D("1E-20") + D("999999999.9999999999") * D("899999999.9999999999")
    assert costs() == (2 * D(10) ** 9, notional, 0)
    book.trade("-" + LEAST, MOST, TODAY)
    read()
    quantity, cost, realized = costs()
    assert quantity == 2 * D(10) ** 9 - D(LEAST)
    # Of 9.5 × 10^8 a share, to the millionth.
    assert (notional - cost, realized) == (D("0.095"), D("0.1") - D("0.095"))
    late = book.trade("-" + MOST, LEAST, YESTERDAY)
    read()
    assert costs()[0] == D(10) ** 9 - D(LEAST)
    assert costs()[1] - costs()[2] == notional - D("0.1") - D("0.1")
    assert verify() == []
    assert "0 mended" in run("rebuild_cost")
    with connection.cursor() as cursor:
        cursor.execute(folded(f"{STANDING_TRADES} AND trade_date <= %s"), [TODAY])
        *_, count, fills = cursor.fetchone()
    assert fold(numbers(fills, count)).decimals() == costs()
    book.cancel(late)
    read()
    assert costs() == (quantity, cost, realized)


def test_free_shares_and_worthless_ones(book: Book) -> None:
    book.trade("2", "0")
    read()
    assert costs() == (2, 0, 0)
    book.trade("98", "3")
    book.trade("-100", "0")
    read()
    assert costs() == (0, 0, -294)
    assert verify() == []


def test_a_crash_before_the_commit_leaves_row_and_checkpoint(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.trade("100", "10")
    read()
    before = list(Cost.objects.values()), list(Checkpoint.objects.values())
    book.trade("-50", "12", BEFORE)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trades.ledger.multi_shard_batch._move_checkpoints", die)
        with pytest.raises(KeyboardInterrupt):
            read()
    assert (list(Cost.objects.values()), list(Checkpoint.objects.values())) == before
    read()
    assert costs() == (50, 500, 100)


def test_wrong_missing_and_groundless_rows_are_found_and_mended(book: Book) -> None:
    book.trade("100", "10")
    read()
    right = list(Cost.objects.values())
    Cost.objects.update(cost=999)
    assert {(b.what, b.key, b.consumer) for b in verify()} == {("cost", "Test1 IBM", "cost")}
    assert "1 would be mended" in run("rebuild_cost", "--dry-run")
    assert "1 mended" in run("rebuild_cost", "--account", "Test1")
    assert list(Cost.objects.values()) == right
    Cost.objects.update(realized_pnl=1)
    assert {b.what for b in verify()} == {"realized P&L"}
    Cost.objects.all().delete()
    assert {b.what for b in verify()} == {"cost", "quantity held at cost"}
    Cost.objects.create(
        account=book.desk.other, instrument=book.desk.ibm, quantity=1, cost=1, realized_pnl=0,
        last_entry=1, last_trade_date=TODAY, last_executed_at=NOW,
    )  # fmt: skip
    assert "2 mended" in run("rebuild_cost")
    assert [{**row, "id": 0} for row in Cost.objects.values()] == [{**right[0], "id": 0}]
    assert verify() == []


def test_what_lies_beyond_the_checkpoint_is_left_out(book: Book) -> None:
    first = book.trade("100", "10", YESTERDAY)
    book.trade("-50", "12")
    read()
    book.cancel(first)
    book.trade("7", "7", BEFORE)
    assert verify() == []
    assert "0 mended" in run("rebuild_cost")
    assert costs() == (50, 500, 100)
    read()
    assert costs() == (-43, -516, 35)


def test_an_entry_without_its_version_stops_its_account(
    book: Book, committed_db: PostgresServer
) -> None:
    trade = book.trade("100", "10")
    with connect(committed_db.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("SET session_replication_role = replica")
        root.execute("DELETE FROM trades_tradeversion WHERE trade_id = %s", [trade.pk])
    assert {b.what for b in verify()} == {"versions of trade", "cost"}
    read(batch_entries=100)
    held = Quarantine.objects.get()
    assert held.consumer == "cost"
    assert "version" in held.error
    assert not Cost.objects.exists()
